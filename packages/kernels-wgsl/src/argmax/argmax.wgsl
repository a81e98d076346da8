// y[o, s, i] = the first k of chunk s where x[o, k, i] is largest; a NaN is larger than anything
//
// An invocation walks down one chunk alone. With CANDIDATES it walks the results of such chunks:
// k is then candidates[o, j, i] for each j, which are in ascending order.
//
//   x  [outer, reduced, inner]     candidates  [outer, walked, inner], or anything
//   y  [outer, splits, inner]      chunk s is from s·chunk on, of the `walked`
//   dispatch  spread(ceil(outer · splits · inner / THREADS))

alias Elem = f32;
const THREADS: u32 = 64;
const CANDIDATES: bool = false;
alias Key = f32;          // type that is compared: whole numbers as such
const WHOLE: bool = false;
fn key(x: Key) -> Key { return x; }    // the largest wins: for the smallest -x, or ~x of whole numbers

// By the bits: a compiler may take x != x for false.
fn isNan(x: Key) -> bool { return !WHOLE && (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }

struct Params { outer: u32, reduced: u32, inner: u32, walked: u32, splits: u32, chunk: u32 }

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read> candidates: array<i32>;
@group(0) @binding(2) var<storage, read_write> y: array<i32>;
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = (wg.y * grid.x + wg.x) * THREADS + thread;
  if (at >= p.outer * p.splits * p.inner) { return; }
  let i = at % p.inner;
  let o = at / p.inner / p.splits;
  let start = at / p.inner % p.splits * p.chunk;
  let end = min(start + p.chunk, p.walked);

  var best = Key();
  var bestK = -1;    // none
  for (var j = start; j < end; j++) {
    var k = i32(j);
    if (CANDIDATES) { k = candidates[(o * p.walked + j) * p.inner + i]; }
    let value = key(Key(x[(o * p.reduced + u32(k)) * p.inner + i]));
    if (bestK < 0 || (!isNan(best) && (isNan(value) || value > best))) {
      best = value;
      bestK = k;
    }
  }
  y[at] = bestK;
}
