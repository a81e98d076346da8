/**
 * Replacements of each operator, one at a time.
 *
 * @type {Readonly<Record<string, readonly string[]>>}
 */
const OPERATORS = {
  "+": ["-"],
  "-": ["+"],
  "*": ["+"],
  "/": ["*"],
  "%": ["/"],
  "<": ["<=", ">"],
  "<=": ["<"],
  ">": [">=", "<"],
  ">=": [">"],
  "==": ["!="],
  "!=": ["=="],
  "&&": ["||"],
  "||": ["&&"],
  "+=": ["-="],
  "-=": ["+="],
  "*=": ["+="],
  "<<": [">>"],
  ">>": ["<<"],
  "&": ["|"],
  "|": ["&"],
};

const TOKEN =
  /\/\/.*|(?<number>\b0x[0-9a-f]+[uif]?\b|\b\d+\.?\d*(?:e[+-]?\d+)?[uifh]?)|(?<word>[A-Za-z_]\w*)|(?<operator>->|[-+*/%<>=!&|^]=|&&|\|\||<<=|>>=|<<|>>|\+\+|--|[-+*/%<>&|])/gi;

/**
 * Every small change of a shader's functions: an operator, a bound, a constant, one at a time. Declarations of bindings
 * and types stay, since a change there does not compile; constants at the top too, which are sizes that holes set.
 *
 * @param {string} source
 * @returns {{ start: number, end: number, to: string, line: number }[]}
 */
export function mutationsOf(source) {
  const found = [];
  let line = 1;
  let offset = 0;
  for (const text of source.split("\n")) {
    if (!isDeclaration(text)) {
      for (const token of text.matchAll(TOKEN)) {
        const start = offset + token.index;
        for (const to of replacements(token, text))
          found.push({ start, end: start + token[0].length, to, line });
      }
    }
    offset += text.length + 1;
    line++;
  }
  return found;
}

/** @param {string} line */
const isDeclaration = (line) =>
  /^(@|enable|requires|diagnostic|alias|struct|const |var<|fn |\s*@|\s*\w+: |\})/.test(line);

/**
 * @param {RegExpExecArray} token
 * @param {string} line
 */
function replacements(token, line) {
  const { number, operator } = token.groups ?? {};
  const before = line.slice(0, token.index);
  const after = line.slice(token.index + token[0].length);
  if (number !== undefined) {
    // The x2 of a name, a swizzle or a type is none, and neither is a size in a type.
    if (/[\w.]$/.test(before)) return [];
    return [other(number)];
  }
  if (operator === undefined) return [];
  // Brackets of types: array<f32, 4>, vec4<f32>, bitcast<u32>, ptr<function, …>.
  if (
    (operator === "<" || operator === ">") &&
    (/\b(array|vec[234]|mat\dx\d|bitcast|ptr|atomic)$/.test(before) || !/ $/.test(before))
  )
    return [];
  // A sign, an address and a dereference are no operations on two numbers.
  if (/^[-*&]$/.test(operator) && !/[\w)\]] $/.test(before)) return [];
  if (operator === "->" || !after) return [];
  return OPERATORS[operator] ?? [];
}

/**
 * A number's neighbour: a bound that is off by one, a constant that is another.
 *
 * @param {string} number
 */
function other(number) {
  const [, value = "", suffix] = /^(0x[0-9a-f]+|[\d.]+(?:e[+-]?\d+)?)([uifh]?)$/i.exec(number) ?? [];
  const changed = Number(value) + 1;
  return value.includes(".") && Number.isInteger(changed) ? `${changed}.0${suffix}` : `${changed}${suffix}`;
}
