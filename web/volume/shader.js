/**
 * The sampling of `sample.js` and the windows of `greys.js` in GLSL. Integer textures cannot be filtered by the hardware,
 * and each slice has a level and a rescale of its own: the shader interpolates itself.
 */

export const CORNERS = `#version 300 es
void main() {
  gl_Position = vec4(vec2((gl_VertexID << 1) & 2, gl_VertexID & 2) * 2.0 - 1.0, 0.0, 1.0);
}`;

/** Texels of the table of slices that describe one slice. */
export const TEXELS = 3;

/** What the greys are made with. */
export const WINDOW = { ramp: 0, step: 1, sigmoid: 2, table: 3 };

/** How planes are combined. */
export const MODES = { mip: 0, minip: 1, mean: 2 };

/**
 * @param {string} sampler GLSL type of the stored values
 */
export function fragmentShader(sampler) {
  return `#version 300 es
precision highp float;
precision highp int;
uniform highp ${sampler} stored;
uniform highp sampler2D slices; // position, layer, slope, intercept; scale and offset; size, index in the volume
uniform highp sampler2D lut;
uniform int count;
uniform bool linear;
uniform bool replicate;
uniform vec3 origin;
uniform vec3 right;
uniform vec3 down;
uniform vec3 low;
uniform vec3 high;
uniform int average;
uniform int height;
uniform int layers;
uniform vec3 firstOffset;
uniform vec3 offsetStep;
uniform int mode;
uniform int kind;
uniform vec4 window; // ramp: scale, offset; step: middle; sigmoid: center, width; table: first value, entries, white
uniform bool inverted;
out vec4 colour;

float texel(int layer, ivec2 at) {
  return float(texelFetch(stored, ivec3(at, layer), 0).r);
}

float inSlice(int index, vec2 at) {
  vec4 meaning = texelFetch(slices, ivec2(0, index), 0);
  vec4 place = texelFetch(slices, ivec2(1, index), 0);
  ivec2 last = ivec2(texelFetch(slices, ivec2(2, index), 0).xy) - 1;
  vec2 uv = clamp(at * place.xy + place.zw, vec2(0.0), vec2(last));
  int layer = int(meaning.y);
  float value;
  if (linear) {
    ivec2 from = ivec2(uv);
    ivec2 next = min(from + 1, last);
    vec2 part = uv - vec2(from);
    float a = texel(layer, from);
    float c = texel(layer, ivec2(from.x, next.y));
    float above = a + (texel(layer, ivec2(next.x, from.y)) - a) * part.x;
    float below = c + (texel(layer, next) - c) * part.x;
    value = above + (below - above) * part.y;
  } else {
    value = texel(layer, ivec2(uv + 0.5));
  }
  return value * meaning.z + meaning.w;
}

float position(int index) {
  return texelFetch(slices, ivec2(0, index), 0).x;
}

float indexInVolume(int index) {
  return texelFetch(slices, ivec2(2, index), 0).z;
}

// false outside the volume
bool sampleAt(vec3 at, out float value) {
  if (any(lessThan(at, low)) || any(greaterThan(at, high))) return false;
  int after = 0;
  for (int end = count; after < end; ) {
    int middle = (after + end) >> 1;
    if (position(middle) > at.z) end = middle;
    else after = middle + 1;
  }
  int first = max(after - 1, 0);
  int second = min(after, count - 1);
  float weight = 0.0;
  if (first != second && after > 0) {
    float from = position(first);
    weight = (at.z - from) / (position(second) - from);
    bool bent = replicate && indexInVolume(second) != indexInVolume(first) + 1.0;
    if (!linear || bent) weight = weight > 0.5 ? 1.0 : 0.0;
  }
  float a = weight < 1.0 ? inSlice(first, at.xy) : 0.0;
  float b = weight > 0.0 ? inSlice(second, at.xy) : 0.0;
  value = weight == 0.0 ? a : weight == 1.0 ? b : a + (b - a) * weight;
  return true;
}

bool combined(vec3 at, out float value) {
  bool any = false;
  int number = 0;
  float total = 0.0;
  for (int i = 0; i < layers; i += 1) {
    float one;
    if (!sampleAt(at + firstOffset + offsetStep * float(i), one)) continue;
    if (mode == ${MODES.mean} || !any) total += one;
    else if (mode == ${MODES.mip}) total = max(total, one);
    else total = min(total, one);
    any = true;
    number += 1;
  }
  value = mode == ${MODES.mean} ? total / float(max(number, 1)) : total;
  return any;
}

float greyOf(float value) {
  if (kind == ${WINDOW.ramp}) return value * window.x + window.y;
  if (kind == ${WINDOW.step}) return value > window.x ? 255.0 : 0.0;
  if (kind == ${WINDOW.sigmoid}) return 255.0 / (1.0 + exp(-4.0 * (value - window.x) / window.y));
  int entry = int(clamp(floor(value + 0.5) - window.x, 0.0, window.y - 1.0));
  int width = textureSize(lut, 0).x;
  return texelFetch(lut, ivec2(entry % width, entry / width), 0).r / window.z * 255.0;
}

void main() {
  ivec2 pixel = ivec2(int(gl_FragCoord.x), height - 1 - int(gl_FragCoord.y)) * average;
  float total = 0.0;
  int number = 0;
  for (int y = 0; y < average; y += 1) {
    for (int x = 0; x < average; x += 1) {
      float value;
      vec3 at = origin + right * float(pixel.x + x) + down * float(pixel.y + y);
      if (!combined(at, value)) continue;
      total += value;
      number += 1;
    }
  }
  if (number == 0) {
    colour = vec4(0.0, 0.0, 0.0, 1.0);
    return;
  }
  float grey = floor(clamp(greyOf(total / float(number)), 0.0, 255.0) + 0.5);
  colour = vec4(vec3((inverted ? 255.0 - grey : grey) / 255.0), 1.0);
}`;
}
