// x̂ = (x − mean) / √(variance + eps) depends on x through its statistics too:
//   dx[m, c] = epilogue((dy[m, c] − dbeta[c] / M − x̂[m, c] · dgamma[c] / M) · gamma[c] / √(variance[c] + eps))
// which is  dy · scale − offset − (x − mean) · pull  with the vectors that `finishGradients` wrote. An
// invocation walks down WIDTH channels of DEPTH rows.
//
//   x dy dx  [M, C]     vectors  [4, C]
//   dispatch  spread(ceil(ceil(M / DEPTH) · C / WIDTH / THREADS))

alias Elem = f32;
const THREADS: u32 = 64;
const DEPTH: u32 = 16;
const WIDTH: u32 = 1;
alias Vec = f32;          // WIDTH values
alias Bits = u32;         // those of WIDTH values
alias StoredVec = Elem;   // WIDTH elements

// Applied to each result before it is stored: WIDTH values, the first for dx[at], in `channel`. e0 and e1 hold
// operands of dx's shape, or one value a channel.
// = epilogueOfVectors
alias E0 = f32;
alias E1 = f32;
alias StoredVec0 = E0;       // WIDTH elements
alias StoredVec1 = E1;
fn epilogue(value: Vec, at: u32, channel: u32) -> Vec { return value; }
fn magnitude(value: Vec) -> Bits { return bitcast<Bits>(value) & Bits(0x7fffffffu); }
fn dense0(at: u32) -> Vec { return Vec(e0[at / WIDTH]); }
fn dense1(at: u32) -> Vec { return Vec(e1[at / WIDTH]); }
fn channel0(channel: u32) -> Vec { return Vec(e0[channel / WIDTH]); }
fn channel1(channel: u32) -> Vec { return Vec(e1[channel / WIDTH]); }
// = end

struct Params { M: u32, C: u32 }

@group(0) @binding(0) var<storage, read> x: array<StoredVec>;
@group(0) @binding(1) var<storage, read> dy: array<StoredVec>;
@group(0) @binding(2) var<storage, read> vectors: array<Vec>;
@group(0) @binding(3) var<storage, read> e0: array<StoredVec0>;
@group(0) @binding(4) var<storage, read> e1: array<StoredVec1>;
@group(0) @binding(5) var<storage, read_write> dx: array<StoredVec>;
@group(0) @binding(6) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let columns = p.C / WIDTH;
  let at = (wg.y * grid.x + wg.x) * THREADS + thread;
  let c = at % columns;
  let first = at / columns * DEPTH;
  if (first >= p.M) { return; }
  // One load in the shader, where each costs a rasteriser 15 ms of compile time.
  var mean = Vec();
  var scale = Vec();
  var pull = Vec();
  var offset = Vec();
  for (var k = c; k < 4 * columns; k += columns) {
    mean = scale;
    scale = pull;
    pull = offset;
    offset = vectors[k];
  }
  let end = min(first + DEPTH, p.M) * columns;
  for (var i = first * columns + c; i < end; i += columns) {
    let centred = Vec(x[i]) - mean;
    let d = Vec(dy[i]) * scale - offset - centred * pull;
    dx[i] = StoredVec(epilogue(d, i * WIDTH, c * WIDTH));
  }
}
