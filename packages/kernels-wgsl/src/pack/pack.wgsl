// flat[start[k] + i] = Σ_s  part_k[s · length[k] + i],   in ascending s;   0 for the padding from length[k] on
//
// Up to 7 tensors, or partial sums of tensors, to their places in one. Workgroups of row y take part y, its elements
// in strides, WIDTH neighbours at a time.
//
//   part0 … part6  [splits[k], length[k]]     flat  part k begins at element start[k] and takes space[k]
//   dispatch  (enough for the largest space, at most 65535; count; 1)

alias Vec = f32;          // WIDTH elements
const WIDTH: u32 = 1;
const THREADS: u32 = 64;

struct Params {
  start0: vec4u, start1: vec4u,
  length0: vec4u, length1: vec4u,
  space0: vec4u, space1: vec4u,
  splits0: vec4u, splits1: vec4u,
  count: u32,    // of parts: the rows of workgroups, which each read their own
}

@group(0) @binding(0) var<storage, read> part0: array<Vec>;
@group(0) @binding(1) var<storage, read> part1: array<Vec>;
@group(0) @binding(2) var<storage, read> part2: array<Vec>;
@group(0) @binding(3) var<storage, read> part3: array<Vec>;
@group(0) @binding(4) var<storage, read> part4: array<Vec>;
@group(0) @binding(5) var<storage, read> part5: array<Vec>;
@group(0) @binding(6) var<storage, read> part6: array<Vec>;
@group(0) @binding(7) var<storage, read_write> flat: array<Vec>;
@group(0) @binding(8) var<uniform> p: Params;

fn pick(first: vec4u, second: vec4u, k: u32) -> u32 {
  return select(second[k & 3u], first[k & 3u], k < 4u);
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let k = wg.y;
  let start = pick(p.start0, p.start1, k) / WIDTH;
  let length = pick(p.length0, p.length1, k) / WIDTH;
  let space = pick(p.space0, p.space1, k) / WIDTH;
  let splits = pick(p.splits0, p.splits1, k);
  for (var i = wg.x * THREADS + thread; i < space; i += grid.x * THREADS) {
    var sum = Vec();
    let end = select(0, i + splits * length, i < length);
    // A loop for each part: one loop that picked the part for each element would take a rasteriser twice as long.
    switch (k) {
      case 0u: { for (var j = i; j < end; j += length) { sum += part0[j]; } }
      case 1u: { for (var j = i; j < end; j += length) { sum += part1[j]; } }
      case 2u: { for (var j = i; j < end; j += length) { sum += part2[j]; } }
      case 3u: { for (var j = i; j < end; j += length) { sum += part3[j]; } }
      case 4u: { for (var j = i; j < end; j += length) { sum += part4[j]; } }
      case 5u: { for (var j = i; j < end; j += length) { sum += part5[j]; } }
      default: { for (var j = i; j < end; j += length) { sum += part6[j]; } }
    }
    flat[start + i] = sum;
  }
}
