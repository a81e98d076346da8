// y[o, j, i] = x[o, index[o, j, i], i]
//
// An element picked for each place, along one axis. An index outside the axis gives `missing`, and reads nothing.
// Grid-stride over y.
//
//   x  [outer, size, inner]     index, y  [outer, count, inner]     all dense, row-major
//   dispatch  (min(ceil(outer · count · inner / THREADS), 512), 1, 1)

alias Elem = f32;
alias Scalar = f32;       // type of `missing`: f32, i32 or u32
alias Index = i32;        // or u32
const THREADS: u32 = 256;

// = gatherParams
struct Params { outer: u32, size: u32, inner: u32, count: u32, missing: u32 }

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read> index: array<Index>;
@group(0) @binding(2) var<storage, read_write> y: array<Elem>;
@group(0) @binding(3) var<uniform> p: Params;
// = end

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) grid: vec3u) {
  let missing = Elem(bitcast<Scalar>(p.missing));
  for (var at = id.x; at < p.outer * p.count * p.inner; at += grid.x * THREADS) {
    // A negative index is a huge u32.
    let k = u32(index[at]);
    if (k < p.size) {
      y[at] = x[(at / p.inner / p.count * p.size + k) * p.inner + at % p.inner];
    } else {
      y[at] = missing;
    }
  }
}
