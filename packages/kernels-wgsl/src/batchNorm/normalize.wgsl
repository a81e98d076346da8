// y[m, c] = epilogue((x[m, c] − mean[c]) · gamma[c] / √(variance[c] + eps) + beta[c])
//
// With a batch's statistics in training, with the running ones in evaluation. An invocation walks
// down LANES channels of DEPTH rows.
//
//   x y  [M, C]     mean variance gamma beta  [C]
//   dispatch  spread(ceil(ceil(M / DEPTH) · C / LANES / THREADS))

alias Elem = f32;
const THREADS: u32 = 64;
const DEPTH: u32 = 16;
const LANES: u32 = 1;
alias V = f32;            // LANES values
alias Bits = u32;         // those of LANES values
alias Stored = Elem;      // LANES elements

// Applied to what is stored: LANES values, the first of them y[i], in channel o. e0 and e1 hold
// operands of y's shape, or one value a channel.
// = epilogueOfVectors
alias E0 = f32;
alias E1 = f32;
alias Stored0 = E0;       // LANES elements
alias Stored1 = E1;
fn epilogue(value: V, i: u32, o: u32) -> V { return value; }
fn magnitude(value: V) -> Bits { return bitcast<Bits>(value) & Bits(0x7fffffffu); }
fn dense0(i: u32) -> V { return V(e0[i / LANES]); }
fn dense1(i: u32) -> V { return V(e1[i / LANES]); }
fn channel0(o: u32) -> V { return V(e0[o / LANES]); }
fn channel1(o: u32) -> V { return V(e1[o / LANES]); }
// = end

struct Params { M: u32, C: u32, eps: f32 }

@group(0) @binding(0) var<storage, read> x: array<Stored>;
@group(0) @binding(1) var<storage, read> mean: array<V>;
@group(0) @binding(2) var<storage, read> variance: array<V>;
@group(0) @binding(3) var<storage, read> gamma: array<V>;
@group(0) @binding(4) var<storage, read> beta: array<V>;
@group(0) @binding(5) var<storage, read> e0: array<Stored0>;
@group(0) @binding(6) var<storage, read> e1: array<Stored1>;
@group(0) @binding(7) var<storage, read_write> y: array<Stored>;
@group(0) @binding(8) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let columns = p.C / LANES;
  let at = (group.y * groups.x + group.x) * THREADS + thread;
  let c = at % columns;
  let first = at / columns * DEPTH;
  if (first >= p.M) { return; }
  let shift = mean[c];
  let scale = gamma[c] * inverseSqrt(variance[c] + p.eps);
  let offset = beta[c];
  let end = min(first + DEPTH, p.M) * columns;
  for (var i = first * columns + c; i < end; i += columns) {
    y[i] = Stored(epilogue((V(x[i]) - shift) * scale + offset, i * LANES, c * LANES));
  }
}
