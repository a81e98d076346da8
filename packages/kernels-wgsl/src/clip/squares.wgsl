// partial[start + s] = Σ x² over every sums-th element from element s on, WIDTH neighbours for one
//
// The norm of many tensors begins here: each writes its partial sums into its own part of one
// buffer. An invocation makes one sum in blocks, side by side with its neighbours; no barriers.
//
//   x  dense, `length` elements     partial  sums of all tensors; this one's begin at `start`
//   dispatch  (ceil(sums / THREADS), 1, 1)

alias Vec = f32;        // what a load takes: f32, or vec4f where 4 divides the length
const WIDTH: u32 = 1;
const THREADS: u32 = 64;
const BLOCK: u32 = 64;  // terms that are added in sequence
fn total(x: Vec) -> f32 { return x; }

struct Params { length: u32, start: u32, sums: u32 }

@group(0) @binding(0) var<storage, read> x: array<Vec>;
@group(0) @binding(1) var<storage, read_write> partial: array<f32>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= p.sums) { return; }
  var sum = Vec();
  let loads = p.length / WIDTH;
  for (var start = id.x; start < loads; start += BLOCK * p.sums) {
    var blockSum = Vec();
    for (var i = start; i < min(start + BLOCK * p.sums, loads); i += p.sums) { blockSum += x[i] * x[i]; }
    sum += blockSum;
  }
  partial[p.start + id.x] = total(sum);
}
