// Runs the program that decoder.py has written.

/** Float32Array of numbers of 16 bits: a sign, 5 bits of exponent, 10 of fraction. */
function halves(codes) {
  return Float32Array.from(codes, code => {
    const exponent = code >> 10 & 31, fraction = (code & 1023) / 1024, sign = code >> 15 ? -1 : 1;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction) : 2 ** -14 * fraction);
  });
}

const readArray = text => text[0] === "e" ? halves(new Uint16Array(bytes(text.slice(1)).buffer))
  : floats(text.slice(1));

/** erf by Abramowitz & Stegun's 7.1.26, wrong by 1.5e-7 at most. */
function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const sum = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.sign(x) * (1 - sum * Math.exp(-x * x));
}

const ELEMENTWISE = {
  add: (a, b) => a + b, sub: (a, b) => a - b, mul: (a, b) => a * b, div: (a, b) => a / b, neg: x => -x,
  abs: Math.abs, sign: Math.sign, floor: Math.floor, ceil: Math.ceil, max: Math.max, min: Math.min,
  clamp: (low, x, high) => Math.min(Math.max(x, low), high),
  square: x => x * x, pow: Math.pow, sqrt: Math.sqrt, rsqrt: x => 1 / Math.sqrt(x),
  exp: Math.exp, exp2: x => 2 ** x, expm1: Math.expm1, log: Math.log, log1p: Math.log1p, sin: Math.sin, cos: Math.cos,
  tanh: Math.tanh, logistic: x => 1 / (1 + Math.exp(-x)), erf, erfc: x => 1 - erf(x),
  eq: (a, b) => +(a === b), ne: (a, b) => +(a !== b), lt: (a, b) => +(a < b), le: (a, b) => +(a <= b),
  gt: (a, b) => +(a > b), ge: (a, b) => +(a >= b), and: (a, b) => a && b, or: (a, b) => a || b, not: x => +!x,
  is_finite: x => +Number.isFinite(x),
  select_n: (which, a, b) => which ? b : a,
};

const REDUCTIONS = {sum: (a, b) => a + b, max: (a, b) => Math.max(a, b), min: (a, b) => Math.min(a, b)};

/** For each place of a convolution's output along an axis: the taps that meet a pixel, as [tap, pixel]. */
function taps({strides, pads, spread, dilation}, axis, places, size, pixels) {
  return Array.from({length: places}, (_, place) => Array.from({length: size}, (_, tap) =>
    [tap, (place * strides[axis] + tap * dilation[axis] - pads[axis]) / spread[axis]],
  ).filter(([, pixel]) => Number.isInteger(pixel) && pixel >= 0 && pixel < pixels));
}

/** Each makes (out, inputs) => fills out, for a step. */
const OPERATIONS = {
  gather: step => {
    const index = new Int32Array(bytes(step.index).buffer);
    return (out, inputs) => {
      const all = inputs.length === 1 ? inputs[0] : inputs.flatMap(array => Array.from(array));
      for (let i = 0; i < out.length; i++) out[i] = all[index[i]];
    };
  },
  matmul: ({rows, columns, inner}) => (out, [a, b]) => {
    for (let i = 0; i < out.length; i++) {
      const column = i % columns, row = (i - column) / columns, batch = Math.floor(row / rows);
      const at = row * inner, bt = (batch * columns + column) * inner;
      let sum = 0;
      for (let k = 0; k < inner; k++) sum += a[at + k] * b[bt + k];
      out[i] = sum;
    }
  },
  conv: step => (out, [x, kernel]) => {
    const [, height, width, channels] = step.x, [tall, wide, , features] = step.kernel, [batch, rows, columns] = step.y;
    const ups = taps(step, 0, rows, tall, height), lefts = taps(step, 1, columns, wide, width);
    out.fill(0);
    for (let b = 0; b < batch; b++) for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) {
      const to = ((b * rows + r) * columns + c) * features;
      for (const [i, row] of ups[r]) for (const [j, column] of lefts[c]) {
        const from = ((b * height + row) * width + column) * channels, tap = (i * wide + j) * channels * features;
        for (let k = 0; k < channels; k++) {
          const value = x[from + k], at = tap + k * features;
          for (let n = 0; n < features; n++) out[to + n] += value * kernel[at + n];
        }
      }
    }
  },
  reduce: ({what, inner}) => (out, [x]) => {
    for (let i = 0; i < out.length; i++) out[i] = x.subarray(i * inner, (i + 1) * inner).reduce(REDUCTIONS[what]);
  },
};

/** An elementwise step; an input that is shorter than the output is repeated. */
function elementwise({op}) {
  const call = ELEMENTWISE[op];
  return (out, [a, b, c]) => {
    const la = a.length, lb = b?.length, lc = c?.length;
    if (!b) for (let i = 0; i < out.length; i++) out[i] = call(a[i % la]);
    else if (!c) for (let i = 0; i < out.length; i++) out[i] = call(a[i % la], b[i % lb]);
    else for (let i = 0; i < out.length; i++) out[i] = call(a[i % la], b[i % lb], c[i % lc]);
  };
}

/** decode(z) -> x, a Float32Array that the next call overwrites. */
function makeDecoder({arrays, steps, output}) {
  const memory = [null, ...arrays.map(readArray)];
  const calls = steps.map(step => {
    memory[step.out] = new Float32Array(step.size);
    return [(OPERATIONS[step.op] ?? elementwise)(step), step];
  });
  return z => {
    memory[0] = Float32Array.from(z);
    for (const [call, step] of calls) call(memory[step.out], step.in.map(i => memory[i]));
    return memory[output];
  };
}
