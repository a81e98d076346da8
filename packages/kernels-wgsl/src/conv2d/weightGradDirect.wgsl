// partial[split, r, s, c, o] = Σ_m  x[n, h, v, g·C/groups + c] · dy[m, o],   m = (n·P + row)·Q + col
//   over the m of `split`;
//   h = row·strideRows + r·dilationRows − padTop,  v = col·strideCols + s·dilationCols − padLeft.
//
// One invocation per weight and split: for any shape. A second kernel adds the splits up.
//
//   x  [N, H, W, C]     dy  [N, P, Q, O]     partial  [splits, R, S, C / groups, O]
//   dispatch  ceil(splits·R·S·C/groups·O / THREADS) spread over x and y

alias Elem = f32;
const THREADS: u32 = 64;

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
  splits: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read> dy: array<Elem>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = (wg.y * grid.x + wg.x) * THREADS + thread;
  let channels = p.C / p.groups;
  let weights = p.R * p.S * channels * p.O;
  if (i >= p.splits * weights) { return; }
  let o = i % p.O;
  let c = i / p.O % channels + o / (p.O / p.groups) * channels;
  let top = i / (p.O * channels * p.S) % p.R * p.dilationRows - p.padTop;
  let left = i / (p.O * channels) % p.S * p.dilationCols - p.padLeft;

  let M = p.N * p.P * p.Q;
  let perSplit = (M + p.splits - 1) / p.splits;
  let begin = i / weights * perSplit;
  var sum = 0.0;
  for (var m = begin; m < min(begin + perSplit, M); m++) {
    let h = m / p.Q % p.P * p.strideRows + top;
    let v = m % p.Q * p.strideCols + left;
    if (h >= p.H || v >= p.W) { continue; }
    let n = m / (p.P * p.Q);
    sum += f32(x[((n * p.H + h) * p.W + v) * p.C + c]) * f32(dy[m * p.O + o]);
  }
  partial[i] = sum;
}
