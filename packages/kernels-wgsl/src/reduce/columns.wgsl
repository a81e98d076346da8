// y[o, s, i] = scale · combine of term(x[o, k, i]) over the k of chunk s, or with MEAN their mean
//
// An invocation computes WIDTH neighbouring columns i, walking down k alone in blocks, with four running
// results in each, so that neither the latency of additions nor their rounding adds up along one chain.
//
//   x  [outer, reduced, inner]     y  [outer, splits, inner]     chunk s is k from s·chunk on
//   dispatch  spread(outer · splits · inner / WIDTH / THREADS)

alias Elem = f32;
alias Result = Elem;      // partial results stay f32 where x is f16
const THREADS: u32 = 64;
const BLOCK: u32 = 64;
const WIDTH: u32 = 1;
alias Vec = f32;          // WIDTH values
alias Bits = u32;         // their bits
alias StoredVec = Elem;   // WIDTH elements of x
alias ResultVec = Result; // WIDTH elements of y

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

@group(0) @binding(0) var<storage, read> x: array<StoredVec>;
@group(0) @binding(1) var<storage, read_write> y: array<ResultVec>;
@group(0) @binding(2) var<uniform> p: Params;

// Combined over every step-th element from `first` on, less `shift`.
fn combined(first: u32, end: u32, step: u32, shift: Vec) -> Vec {
  let none = neutral(p.initial);
  var result = none;
  let span = BLOCK * step;
  for (var start = first; start < end; start += span) {
    let stop = min(start + span, end);
    var a = none;
    var b = none;
    var c = none;
    var d = none;
    // The four take turns: one load in the shader, where each costs a rasteriser 15 ms of compile time.
    for (var k = start; k < stop; k += step) {
      let next = combine(a, term(Vec(x[k]) - shift));
      a = b;
      b = c;
      c = d;
      d = next;
    }
    result = combine(result, combine(combine(a, b), combine(c, d)));
  }
  return result;
}

// 0 · ∞ is 0 here.
fn times(weight: f32, value: Vec) -> Vec { return select(Vec(weight) * value, Vec(), weight == 0); }

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let columns = p.inner / WIDTH;
  let at = (wg.y * grid.x + wg.x) * THREADS + thread;
  if (at >= p.outer * p.splits * columns) { return; }
  let o = at / columns / p.splits;
  let start = at / columns % p.splits * p.chunk;
  let length = min(p.chunk, p.reduced - start);

  let first = (o * p.reduced + start) * columns + at % columns;
  let end = first + length * columns;
  // The last element of a row may stand for fewer elements than the others, or more.
  let more = select(0, p.lastWeight - 1, length > 0 && start + length == p.reduced);
  let last = Vec(x[max(end, columns) - columns]);
  let count = Vec(f32(length) + more);
  var shift = Vec();
  var result = Vec();
  // The mean of what a shift near it leaves is the rounding error of the sum. Where all elements are equal, the shift is
  // one of them, so that nothing is left, however the GPU divides. A driver that knew the number of turns would compile
  // both, which takes longer.
  let turns = select(1, min(p.reduced + 1, 2), MEAN);
  for (var turn = 0u; turn < turns; turn++) {
    let sum = combined(first, end, columns, shift);
    if (MEAN) {
      let mean = shift + (sum + times(more, last - shift)) / count;
      result = select(mean, result, magnitude(result) >= Bits(0x7f800000u));    // ∞ and NaN leave nothing to add
      shift = select(mean, last, abs(mean - last) <= abs(last) / Vec(65536));
    } else {
      result = sum;
    }
  }
  y[at] = ResultVec(result * Vec(p.scale));
}
