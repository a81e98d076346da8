// y[n, row, col, o] = epilogue(Σ_{r, s, c}  x[n, h, v, g·C/groups + c] · w[r, s, c, o])
//   h = row·strideRows + r·dilationRows − padTop,  v = col·strideCols + s·dilationCols − padLeft,
//   g = the group of o;  x is zero outside the image.
//
// One invocation per output: for any shape. Neighbours differ in o, so that they read neighbouring
// weights and mostly the same pixel.
//
//   x  [N, H, W, C]     w  [R, S, C / groups, O]
//   y  [N, P, Q, O]     all dense, row-major
//   dispatch  ceil(N·P·Q·O / THREADS) spread over x and y

alias Elem = f32;
const THREADS: u32 = 64;

// Applied to y[at], in `channel`, before it is stored. e0 and e1 hold operands of y's shape, or one value a channel.
// = epilogue
alias Vec = f32;
alias Bits = u32;
alias E0 = f32;
alias E1 = f32;
fn epilogue(value: Vec, at: u32, channel: u32) -> Vec { return value; }
fn magnitude(value: Vec) -> Bits { return bitcast<Bits>(value) & Bits(0x7fffffffu); }
fn dense0(at: u32) -> Vec { return Vec(e0[at]); }
fn dense1(at: u32) -> Vec { return Vec(e1[at]); }
fn channel0(channel: u32) -> Vec { return Vec(e0[channel]); }
fn channel1(channel: u32) -> Vec { return Vec(e1[channel]); }
// = end

// = convolutionParams
struct Params {
  N: u32, H: u32, W: u32, C: u32,
  R: u32, S: u32, O: u32,
  P: u32, Q: u32,
  strideRows: u32, strideCols: u32,
  padTop: u32, padLeft: u32,
  dilationRows: u32, dilationCols: u32,
  groups: u32,
// = end
}

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read> w: array<Elem>;
@group(0) @binding(2) var<storage, read> e0: array<E0>;
@group(0) @binding(3) var<storage, read> e1: array<E1>;
@group(0) @binding(4) var<storage, read_write> y: array<Elem>;
@group(0) @binding(5) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = (wg.y * grid.x + wg.x) * THREADS + thread;
  if (i >= p.N * p.P * p.Q * p.O) { return; }
  let o = i % p.O;
  let m = i / p.O;
  let n = m / (p.P * p.Q);
  let top = m / p.Q % p.P * p.strideRows;
  let left = m % p.Q * p.strideCols;
  let channels = p.C / p.groups;
  let first = o / (p.O / p.groups) * channels;

  var sum = 0.0;
  for (var r = 0u; r < p.R; r++) {
    // Above and left of the image the subtraction wraps to a huge u32, so one `<` tests both edges.
    let h = top + r * p.dilationRows - p.padTop;
    if (h >= p.H) { continue; }
    for (var s = 0u; s < p.S; s++) {
      let v = left + s * p.dilationCols - p.padLeft;
      if (v >= p.W) { continue; }
      let pixel = ((n * p.H + h) * p.W + v) * p.C + first;
      let weight = (r * p.S + s) * channels * p.O + o;
      var part = 0.0;
      for (var c = 0u; c < channels; c++) {
        part += f32(x[pixel + c]) * f32(w[weight + c * p.O]);
      }
      sum += part;
    }
  }
  y[i] = Elem(epilogue(sum, i, o));
}
