// y[i] = low + (high − low) · u[i]   uniform;   mean + std · n[i]   normal;   whole numbers from low
//
// Number i of the stream (seed, offset) is lane i % 4 of Philox's block offset + i / 4: the same
// whatever the shape of the workgroups. Each invocation makes blocks of four, grid-stride.
//
//   y  dense, `length` elements
//   dispatch  (min(ceil(length / 4 / THREADS), 512), 1, 1)

alias Elem = f32;         // what y holds
const BITS: u32 = 24;     // random ones of a uniform number: as many as Elem holds exactly, 11 in f16
const THREADS: u32 = 256;
// Distribution of four words of 32 bits: uniform, normal or integers.
fn distribution(words: vec4u) -> vec4<Elem> { return uniform4(words); }

struct Params {
  seedLow: u32, seedHigh: u32, offsetLow: u32, offsetHigh: u32,
  length: u32,
  first: u32, second: u32,    // bits: low and high − low of uniform4, mean and deviation of normal4, low and range of integer4
}

@group(0) @binding(0) var<storage, read_write> y: array<Elem>;
@group(0) @binding(1) var<uniform> p: Params;

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

// In [low, high).
fn uniform4(words: vec4u) -> vec4<Elem> {
  let low = bitcast<f32>(p.first);
  let range = bitcast<f32>(p.second);
  let share = vec4f(words >> vec4u(32 - BITS)) * (1 / f32(1u << BITS));
  let value = vec4<Elem>(low + uncontracted(range * share));
  return select(value, vec4(Elem(low)), value >= vec4(Elem(low + range)));    // rounding may reach the end
}

// Box and Muller, "A note on the generation of random normal deviates", 1958: two from two.
fn normal4(words: vec4u) -> vec4f {
  let radius = sqrt(-2 * log(vec2f((words.xz >> vec2u(8)) + 1) * 0x1p-24));    // of (0, 1]
  let first = radius.x * direction(words.y);
  let second = radius.y * direction(words.w);
  return bitcast<f32>(p.first) + uncontracted(bitcast<f32>(p.second) * vec4f(first, second));
}

// The cosine and sine of a random angle: a quarter turn by two bits, and by 24 an angle within ± π / 4,
// where their series are short. The built-in functions may be wrong in the fourth digit.
fn direction(word: u32) -> vec2f {
  let angle = (f32((word >> 6) & 0xffffff) * 0x1p-24 - 0.5) * 1.57079632679;
  let squared = angle * angle;
  let cosine = 1 - squared * (1.0 / 2 - squared * (1.0 / 24 - squared * (1.0 / 720 - squared * (1.0 / 40320))));
  let sine = angle * (1 - squared * (1.0 / 6 - squared * (1.0 / 120 - squared * (1.0 / 5040 - squared * (1.0 / 362880)))));
  switch word >> 30 {
    case 0: { return vec2f(cosine, sine); }
    case 1: { return vec2f(-sine, cosine); }
    case 2: { return vec2f(-cosine, -sine); }
    default: { return vec2f(sine, -cosine); }
  }
}

// In [low, low + range), by the high word of a product, which needs no division.
fn integer4(words: vec4u) -> vec4u {
  return p.first + vec4u(
    product(words.x, p.second).x, product(words.y, p.second).x,
    product(words.z, p.second).x, product(words.w, p.second).x,
  );
}

// A compiler that fused this into the sum after it would change the last bit, from adapter to adapter.
// It cannot know that the length is less than 2³¹.
fn uncontracted(value: vec4f) -> vec4f {
  return bitcast<vec4f>(bitcast<vec4u>(value) ^ vec4u(p.length >> 31));
}

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) grid: vec3u) {
  for (var j = id.x; 4 * j < p.length; j += grid.x * THREADS) {
    let values = distribution(numbers(j));
    for (var lane = 0u; lane < 4 && 4 * j + lane < p.length; lane++) {
      y[4 * j + lane] = values[lane];
    }
  }
}
