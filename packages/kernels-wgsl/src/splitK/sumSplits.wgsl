// y[i] = epilogue(Σ_k  partial[k, i]),   in blocks of ascending k
//
// The second launch of a product whose sums were split: one invocation per WIDTH elements, so that the order is
// always the same.
//
//   partial  [splits, length]     y  [length], in rows of `channels`;  both multiples of WIDTH
//   dispatch  ceil(length / WIDTH / THREADS) spread over x and y

alias Elem = f32;
const WIDTH: u32 = 1;
const THREADS: u32 = 64;
const BLOCK: u32 = 32;    // partial sums that are added in sequence
alias Vec = f32;          // WIDTH values
alias Bits = u32;         // those of WIDTH values
alias StoredVec = Elem;   // WIDTH of them: vec4<Elem>

// Applied to each result before it is stored: WIDTH values, the first for y[at], in `channel`. e0 and e1 hold operands of y's shape,
// or one value a channel.
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

struct Params { length: u32, splits: u32, channels: u32 }

@group(0) @binding(0) var<storage, read> partial: array<Vec>;
@group(0) @binding(1) var<storage, read> e0: array<StoredVec0>;
@group(0) @binding(2) var<storage, read> e1: array<StoredVec1>;
@group(0) @binding(3) var<storage, read_write> y: array<StoredVec>;
@group(0) @binding(4) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = (wg.y * grid.x + wg.x) * THREADS + thread;
  let length = p.length / WIDTH;
  if (at >= length) { return; }
  var sum = Vec();
  for (var start = 0u; start < p.splits; start += BLOCK) {
    var blockSum = Vec();
    for (var k = start; k < min(start + BLOCK, p.splits); k++) { blockSum += partial[k * length + at]; }
    sum += blockSum;
  }
  let i = at * WIDTH;
  y[at] = StoredVec(epilogue(sum, i, i % p.channels));
}
