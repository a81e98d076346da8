// partial[start + group] = Σ x² over the elements of one workgroup
//
// The norm of many tensors begins here: each writes its partial sums into its own stretch of one
// buffer. Invocations stride over all of x, then combine in a tree.
//
//   x  dense, `length` elements     partial  sums of all tensors; this one's begin at `start`
//   dispatch  (groups, 1, 1)

const THREADS: u32 = 256;

struct Params { length: u32, start: u32, groups: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> partial: array<f32>;
@group(0) @binding(2) var<uniform> p: Params;

var<workgroup> sums: array<f32, THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  var sum = 0.0;
  for (var i = group.x * THREADS + thread; i < p.length; i += p.groups * THREADS) { sum += x[i] * x[i]; }
  sums[thread] = sum;
  workgroupBarrier();
  for (var half = THREADS / 2; half > 0; half >>= 1) {
    if (thread < half) { sums[thread] += sums[thread + half]; }
    workgroupBarrier();
  }
  if (thread == 0) { partial[p.start + group.x] = sums[0]; }
}
