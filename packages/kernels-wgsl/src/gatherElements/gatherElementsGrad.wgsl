// dx[o, k, i] = Σ_j  dy[o, j, i] where index[o, j, i] = k
//
// Each invocation looks through the indices of its line for its own: no atomics, and the order of the sum is that
// of the indices. Grid-stride over dx.
//
//   dy, index  [outer, count, inner]     dx  [outer, size, inner]     all dense, row-major
//   dispatch  (min(ceil(outer · size · inner / THREADS), 65535), 1, 1)

alias Elem = f32;
alias Index = i32;        // or u32
const THREADS: u32 = 256;

// = indexOfGradient
struct Params { outer: u32, size: u32, inner: u32, count: u32 }

@group(0) @binding(0) var<storage, read> dy: array<Elem>;
@group(0) @binding(1) var<storage, read> index: array<Index>;
@group(0) @binding(2) var<storage, read_write> dx: array<Elem>;
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) grid: vec3u) {
  for (var at = id.x; at < p.outer * p.size * p.inner; at += grid.x * THREADS) {
    let row = at / p.inner;
    let k = row % p.size;
    let first = row / p.size * p.count * p.inner + at % p.inner;
    var sum = 0.0;
    for (var start = 0u; start < p.count; start += 1024) {
      var part = 0.0;
      for (var j = start; j < min(start + 1024, p.count); j++) {
// = end
        let source = first + j * p.inner;
        if (u32(index[source]) == k) { part += f32(dy[source]); }
      }
      sum += part;
    }
    dx[at] = Elem(sum);
  }
}
