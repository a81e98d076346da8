// x̂ = (x − mean) / √(variance + eps) depends on x through its statistics too:
//   dx[m, c] = epilogue((dy[m, c] − dbeta[c] / M − x̂[m, c] · dgamma[c] / M) · gamma[c] / √(variance[c] + eps))
// which is  dy · scale − offset − (x − mean) · pull  with the vectors that `finishGradients` wrote. An
// invocation walks down LANES channels of DEPTH rows.
//
//   x dy dx  [M, C]     vectors  [4, C]
//   dispatch  spread(ceil(ceil(M / DEPTH) · C / LANES / THREADS))

alias Elem = f32;
const THREADS: u32 = 64;
const DEPTH: u32 = 16;
const LANES: u32 = 1;
alias V = f32;            // LANES values
alias Bits = u32;         // those of LANES values
alias Stored = Elem;      // LANES elements

// Applied to what is stored: LANES values, the first of them dx[i], in channel o. e0 and e1 hold
// operands of dx's shape, or one value a channel.
// = epilogueOfVectors
alias E0 = f32;
alias E1 = f32;
alias Stored0 = E0;       // LANES elements
alias Stored1 = E1;
fn epilogue(value: V, i: u32, o: u32) -> V { return value; }
fn magnitude(value: V) -> Bits { return bitcast<Bits>(value) & Bits(0x7fffffffu); }
fn dense0(i: u32) -> V { return V(e0[i / LANES]); }
fn dense1(i: u32) -> V { return V(e1[i / LANES]); }
fn channel0(o: u32) -> V { return V(e0[o / LANES]); }
fn channel1(o: u32) -> V { return V(e1[o / LANES]); }
// = end

struct Params { M: u32, C: u32 }

@group(0) @binding(0) var<storage, read> x: array<Stored>;
@group(0) @binding(1) var<storage, read> dy: array<Stored>;
@group(0) @binding(2) var<storage, read> vectors: array<V>;
@group(0) @binding(3) var<storage, read> e0: array<Stored0>;
@group(0) @binding(4) var<storage, read> e1: array<Stored1>;
@group(0) @binding(5) var<storage, read_write> dx: array<Stored>;
@group(0) @binding(6) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let columns = p.C / LANES;
  let at = (group.y * groups.x + group.x) * THREADS + thread;
  let c = at % columns;
  let first = at / columns * DEPTH;
  if (first >= p.M) { return; }
  // One load in the shader, where each costs a rasteriser 15 ms of compile time.
  var mean = V();
  var scale = V();
  var pull = V();
  var offset = V();
  for (var k = c; k < 4 * columns; k += columns) {
    mean = scale;
    scale = pull;
    pull = offset;
    offset = vectors[k];
  }
  let end = min(first + DEPTH, p.M) * columns;
  for (var i = first * columns + c; i < end; i += columns) {
    let centred = V(x[i]) - mean;
    let d = V(dy[i]) * scale - offset - centred * pull;
    dx[i] = Stored(epilogue(d, i * LANES, c * LANES));
  }
}
