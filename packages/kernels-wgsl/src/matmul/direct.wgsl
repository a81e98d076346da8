// y[z, m, n] = epilogue(Σ_k  a[z, m, k] · b[z, k, n])
//
// One invocation per output: for any shape and any strides.
//
//   a b  anywhere in their buffers, by strides: transposed, or repeated over batches by a stride of 0
//   y    [batch, M, N], dense, row-major
//   dispatch  ceil(batch·M·N / THREADS) spread over x and y

alias Elem = f32;
const THREADS: u32 = 64;

// Applied to y[at], in `channel`, before it is stored. e0 and e1 hold operands of y's shape, or one value a channel.
// = epilogue
alias Vec = f32;
alias Bits = u32;
alias E0 = f32;
alias E1 = f32;
fn epilogue(value: Vec, at: u32, channel: u32) -> Vec { return value; }
fn magnitude(value: Vec) -> Bits { return bitcast<Bits>(value) & Bits(0x7fffffffu); }
fn dense0(at: u32) -> Vec { return Vec(e0[at]); }
fn dense1(at: u32) -> Vec { return Vec(e1[at]); }
fn channel0(channel: u32) -> Vec { return Vec(e0[channel]); }
fn channel1(channel: u32) -> Vec { return Vec(e1[channel]); }
// = end

// Batches have up to 4 axes, last one first: their sizes, and the strides of a and b along them.
// = productParams
struct Params {
  batch: vec4u, aBatch: vec4u, bBatch: vec4u,
  M: u32, N: u32, K: u32,
  aRow: u32, aCol: u32, bRow: u32, bCol: u32,
}
// = end

@group(0) @binding(0) var<storage, read> a: array<Elem>;
@group(0) @binding(1) var<storage, read> b: array<Elem>;
@group(0) @binding(2) var<storage, read> e0: array<E0>;
@group(0) @binding(3) var<storage, read> e1: array<E1>;
@group(0) @binding(4) var<storage, read_write> y: array<Elem>;
@group(0) @binding(5) var<uniform> p: Params;

// = begin
// First element of batch z of an operand with these strides.
fn begin(z: u32, strides: vec4u) -> u32 {
  let at = vec4u(z, z / p.batch.x, z / (p.batch.x * p.batch.y), z / (p.batch.x * p.batch.y * p.batch.z));
  let steps = at % p.batch * strides;
  return steps.x + steps.y + steps.z + steps.w;
}
// = end

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = (wg.y * grid.x + wg.x) * THREADS + thread;
  if (i >= p.batch.x * p.batch.y * p.batch.z * p.batch.w * p.M * p.N) { return; }
  let n = i % p.N;
  let m = i / p.N;
  let z = m / p.M;
  var aAt = begin(z, p.aBatch) + m % p.M * p.aRow;
  var bAt = begin(z, p.bBatch) + n * p.bCol;

  // Parts of 64, and 64 of those, so that rounding does not add up along K.
  var sum = 0.0;
  for (var start = 0u; start < p.K; start += 4096) {
    var parts = 0.0;
    for (var first = start; first < min(start + 4096, p.K); first += 64) {
      var part = 0.0;
      for (var k = first; k < min(first + 64, p.K); k++) {
        part += f32(a[aAt]) * f32(b[bAt]);
        aAt += p.aCol;
        bAt += p.bRow;
      }
      parts += part;
    }
    sum += parts;
  }
  y[i] = Elem(epilogue(sum, i, n));
}
