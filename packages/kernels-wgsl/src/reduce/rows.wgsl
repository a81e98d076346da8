// y[o, s] = scale · combine of term(x[o, k]) over the k of chunk s, or with MEAN their mean
//
// A workgroup walks along one chunk of one row, its invocations side by side, and combines their
// results in a tree. For rows that are contiguous along k: inner = 1.
//
//   x  [outer, reduced]     y  [outer, splits]     chunk s is k from s·chunk on
//   dispatch  spread(outer · splits)

alias Elem = f32;
alias Result = Elem;      // partial results stay f32 where x is f16
alias Vec = f32;
alias Bits = u32;
const THREADS: u32 = 256;

const MEAN: bool = false;
fn term(x: Vec) -> Vec { return x; }
fn combine(a: Vec, b: Vec) -> Vec { return a + b; }
fn neutral(initial: f32) -> Vec { return Vec(initial); }    // the largest integers are no f32

// Bits without the sign: above 0x7f800000 for NaN alone. A compiler may take x != x for false.
fn magnitude(x: Vec) -> Bits { return bitcast<Bits>(x) & Bits(0x7fffffffu); }

struct Params {
  outer: u32, reduced: u32, inner: u32,
  splits: u32, chunk: u32,
  initial: f32, scale: f32,
  lastWeight: f32,        // with MEAN: elements that the last one of all stands for, where each other is one
}

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read_write> y: array<Result>;
@group(0) @binding(2) var<uniform> p: Params;

var<workgroup> results: array<f32, THREADS>;

// Combined over the elements from `first` on, less `shift`; the same for every invocation.
fn combined(thread: u32, first: u32, end: u32, shift: f32) -> f32 {
  var result = neutral(p.initial);
  for (var k = first + thread; k < end; k += THREADS) { result = combine(result, term(f32(x[k]) - shift)); }
  results[thread] = result;
  workgroupBarrier();
  for (var half = THREADS / 2; half > 0; half >>= 1) {
    if (thread < half) { results[thread] = combine(results[thread], results[thread + half]); }
    workgroupBarrier();
  }
  result = results[0];
  workgroupBarrier();
  return result;
}

// 0 · ∞ is 0 here.
fn times(weight: f32, value: f32) -> f32 { return select(weight * value, 0, weight == 0); }

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = wg.y * grid.x + wg.x;
  if (at >= p.outer * p.splits) { return; }
  let start = at % p.splits * p.chunk;
  let row = at / p.splits * p.reduced;
  let end = row + min(start + p.chunk, p.reduced);

  var result = combined(thread, row + start, end, 0);
  if (MEAN) {
    // The last element of a row may stand for fewer elements than the others, or more.
    let isLast = end > row + start && end == row + p.reduced;
    let more = select(0, p.lastWeight - 1, isLast);
    let last = f32(x[max(end, 1) - 1]);
    let count = f32(end - row - start) + more;
    let mean = (result + times(more, last)) / count;
    // The mean of what a shift near it leaves is the rounding error of the sum. Where all elements are equal, the shift is
    // one of them, so that nothing is left, however the GPU divides.
    let shift = select(mean, last, abs(mean - last) <= abs(last) / Vec(65536));
    let left = combined(thread, row + start, end, shift) + times(more, last - shift);
    result = select(shift + left / count, mean, magnitude(mean) >= 0x7f800000u);
  }
  if (thread == 0) { y[at] = Result(result * p.scale); }
}
