// y[o, s] = scale · combine of term(x[o, k]) over the k of chunk s
//
// A workgroup walks along one chunk of one row, its invocations side by side, and combines their
// results in a tree. For what is contiguous along k: inner = 1.
//
//   x  [outer, reduced]     y  [outer, splits]     chunk s is k from s·chunk on
//   dispatch  spread(outer · splits)

alias Elem = f32;
alias Result = Elem;      // partial results stay f32 where x is f16
alias Value = f32;
alias Bits = u32;
const THREADS: u32 = 256;

fn term(x: Value) -> Value { return x; }
fn combine(a: Value, b: Value) -> Value { return a + b; }
fn neutral(initial: f32) -> Value { return Value(initial); }    // the largest integers are no f32

// For a `combine` that looks for NaN: above 0x7f800000. Compilers take x != x for false.
fn magnitude(x: Value) -> Bits { return bitcast<Bits>(x) & Bits(0x7fffffffu); }

struct Params {
  outer: u32, reduced: u32, inner: u32,
  splits: u32, chunk: u32,
  initial: f32, scale: f32,
}

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read_write> y: array<Result>;
@group(0) @binding(2) var<uniform> p: Params;

var<workgroup> results: array<f32, THREADS>;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = group.y * groups.x + group.x;
  if (at >= p.outer * p.splits) { return; }
  let start = at % p.splits * p.chunk;
  let row = at / p.splits * p.reduced;
  let end = row + min(start + p.chunk, p.reduced);

  var result = neutral(p.initial);
  for (var k = row + start + thread; k < end; k += THREADS) { result = combine(result, term(f32(x[k]))); }
  results[thread] = result;
  workgroupBarrier();
  for (var half = THREADS / 2; half > 0; half >>= 1) {
    if (thread < half) { results[thread] = combine(results[thread], results[thread + half]); }
    workgroupBarrier();
  }
  if (thread == 0) { y[at] = Result(results[0] * p.scale); }
}
