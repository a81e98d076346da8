// dx[n, h, v, c] = epilogue(Σ_{r, s, o}  dy[n, row, col, o] · w[r, s, c, o])
//   over the r, s whose window at row, col covers the pixel:
//   row·strideRows = h + padTop − r·dilationRows,  col·strideCols = v + padLeft − s·dilationCols,
//   and over the o in the group of c.
//
// One invocation per pixel and channel: for any shape.
//
//   dy  [N, P, Q, O]     w  [R, S, C / groups, O]     dx  [N, H, W, C]     all dense, row-major
//   dispatch  ceil(N·H·W·C / THREADS) spread over x and y

alias Elem = f32;
const THREADS: u32 = 64;

// Applied to dx[at], in `channel`, before it is stored. e0 and e1 hold operands of dx's shape, or one value a channel.
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

@group(0) @binding(0) var<storage, read> dy: array<Elem>;
@group(0) @binding(1) var<storage, read> w: array<Elem>;
@group(0) @binding(2) var<storage, read> e0: array<E0>;
@group(0) @binding(3) var<storage, read> e1: array<E1>;
@group(0) @binding(4) var<storage, read_write> dx: array<Elem>;
@group(0) @binding(5) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = (wg.y * grid.x + wg.x) * THREADS + thread;
  if (i >= p.N * p.H * p.W * p.C) { return; }
  let c = i % p.C;
  let m = i / p.C;
  let n = m / (p.H * p.W);
  let bottom = m / p.W % p.H + p.padTop;
  let right = m % p.W + p.padLeft;
  let channels = p.C / p.groups;
  let outputs = p.O / p.groups;
  let first = c / channels * outputs;

  var sum = 0.0;
  for (var r = 0u; r < p.R; r++) {
    // Before the first output the subtraction wraps to a huge u32, which is beyond the last one too.
    let top = bottom - r * p.dilationRows;
    if (top % p.strideRows != 0 || top / p.strideRows >= p.P) { continue; }
    for (var s = 0u; s < p.S; s++) {
      let left = right - s * p.dilationCols;
      if (left % p.strideCols != 0 || left / p.strideCols >= p.Q) { continue; }
      let output = ((n * p.P + top / p.strideRows) * p.Q + left / p.strideCols) * p.O + first;
      let weight = ((r * p.S + s) * channels + c % channels) * p.O + first;
      for (var o = 0u; o < outputs; o++) {
        sum += f32(dy[output + o]) * f32(w[weight + o]);
      }
    }
  }
  dx[i] = Elem(epilogue(sum, i, c));
}
