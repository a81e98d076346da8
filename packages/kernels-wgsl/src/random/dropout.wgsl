// y[i] = x[i] · scale where random number i is at least `threshold`, else 0
//
// Number i of the stream (seed, offset), as in random.wgsl; so the gradient draws the same ones again,
// and nobody has to keep a mask. Each invocation makes blocks of four, grid-stride.
//
//   x y  dense, `length` elements
//   dispatch  (min(ceil(length / 4 / THREADS), 512), 1, 1)

alias Elem = f32;
const THREADS: u32 = 256;

struct Params {
  seedLow: u32, seedHigh: u32, offsetLow: u32, offsetHigh: u32,
  length: u32,
  threshold: u32,    // of 2²⁴
  scale: f32,
}

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read_write> y: array<Elem>;
@group(0) @binding(2) var<uniform> p: Params;

// = philox
// Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011:
// 128 bits that depend on nothing but the counter and the key.
fn philox(counter: vec4u, seed: vec2u) -> vec4u {
  var c = counter;
  var key = seed;
  for (var round = 0; round < 10; round++) {
    let a = product(0xD2511F53, c.x);
    let b = product(0xCD9E8D57, c.z);
    c = vec4u(b.x ^ c.y ^ key.x, b.y, a.x ^ c.w ^ key.y, a.y);
    key += vec2u(0x9E3779B9, 0xBB67AE85);
  }
  return c;
}

// All 64 bits of a · b, the high word first, by halves of 16 bits.
fn product(a: u32, b: u32) -> vec2u {
  let a0 = a & 0xffff;
  let a1 = a >> 16;
  let b0 = b & 0xffff;
  let b1 = b >> 16;
  let low = a0 * b0;
  let middle = a1 * b0 + (low >> 16);
  let cross = a0 * b1 + (middle & 0xffff);
  return vec2u(a1 * b1 + (middle >> 16) + (cross >> 16), a * b);
}

// The block of four numbers with index j in the stream.
fn numbers(j: u32) -> vec4u {
  let low = p.offsetLow + j;
  let high = p.offsetHigh + select(0u, 1u, j > low);
  return philox(vec4u(low, high, 0, 0), vec2u(p.seedLow, p.seedHigh));
}
// = end

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) grid: vec3u) {
  for (var j = id.x; 4 * j < p.length; j += grid.x * THREADS) {
    let kept = (numbers(j) >> vec4u(8)) >= vec4u(p.threshold);
    for (var lane = 0u; lane < 4 && 4 * j + lane < p.length; lane++) {
      let i = 4 * j + lane;
      y[i] = Elem(select(0, f32(x[i]) * p.scale, kept[lane]));
    }
  }
}
