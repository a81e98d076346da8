// y[o, s, i] = scale · combine of term(x[o, k, i]) over the k of chunk s
//
// An invocation computes LANES neighbouring columns i, walking down k alone, with four running
// results so that neither the additions' latency nor their rounding adds up along one chain.
//
//   x  [outer, reduced, inner]     y  [outer, splits, inner]     chunk s is k from s·chunk on
//   dispatch  spread(ceil(outer · splits · inner / LANES / THREADS))

alias Elem = f32;
alias Result = Elem;      // partial results stay f32 where x is f16
const THREADS: u32 = 64;
const LANES: u32 = 1;
alias Value = f32;        // LANES values
alias Bits = u32;         // those of LANES values
alias Loaded = Elem;      // LANES elements of x
alias Stored = Result;    // LANES elements of y

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

@group(0) @binding(0) var<storage, read> x: array<Loaded>;
@group(0) @binding(1) var<storage, read_write> y: array<Stored>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let columns = p.inner / LANES;
  let at = (group.y * groups.x + group.x) * THREADS + thread;
  if (at >= p.outer * p.splits * columns) { return; }
  let o = at / columns / p.splits;
  let start = at / columns % p.splits * p.chunk;
  let length = min(p.chunk, p.reduced - start);

  var k = (o * p.reduced + start) * columns + at % columns;
  let end = k + length * columns;
  var a = neutral(p.initial);
  var b = a;
  var c = a;
  var d = a;
  // The four take turns: one load in the shader, where each costs a rasteriser 15 ms of compile time.
  for (; k < end; k += columns) {
    let next = combine(a, term(Value(x[k])));
    a = b;
    b = c;
    c = d;
    d = next;
  }
  y[at] = Stored(combine(combine(a, b), combine(c, d)) * Value(p.scale));
}
