// y[i] = s₁ + s₂ + … after `steps` times  s ← s·scale + shift,  from  s = i mod 8 + 1, + 2, …
//
// The adapter's peak of multiply-adds: twelve chains an invocation, which no unit waits for, and
// no memory in between. 24 · steps operations each.
//
//   y  [length]
//   dispatch  (ceil(length / THREADS), 1, 1)

const THREADS: u32 = 64;

struct Params { length: u32, steps: u32, scale: f32, shift: f32 }

@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= p.length) { return; }
  let scale = vec4f(p.scale);
  let shift = vec4f(p.shift);
  var a = f32(id.x % 8) + vec4f(1, 2, 3, 4);
  var b = a + 4;
  var c = a + 8;
  // Eight steps a turn: a rasteriser pays for the turn itself.
  for (var i = 0u; i < p.steps; i += 8) {
    for (var j = 0u; j < 8; j++) {
      a = fma(a, scale, shift);
      b = fma(b, scale, shift);
      c = fma(c, scale, shift);
    }
  }
  let sum = a + b + c;
  y[id.x] = sum.x + sum.y + sum.z + sum.w;
}
