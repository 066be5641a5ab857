#!/usr/bin/env node
var __create = Object.create;
var __getProtoOf = Object.getPrototypeOf;
var __defProp = Object.defineProperty;
var __getOwnPropNames = Object.getOwnPropertyNames;
var __hasOwnProp = Object.prototype.hasOwnProperty;
function __accessProp(key) {
  return this[key];
}
var __toESMCache_node;
var __toESMCache_esm;
var __toESM = (mod, isNodeMode, target) => {
  var canCache = mod != null && typeof mod === "object";
  if (canCache) {
    var cache = isNodeMode ? __toESMCache_node ??= new WeakMap : __toESMCache_esm ??= new WeakMap;
    var cached = cache.get(mod);
    if (cached)
      return cached;
  }
  target = mod != null ? __create(__getProtoOf(mod)) : {};
  const to = isNodeMode || !mod || !mod.__esModule || !__hasOwnProp.call(mod, "default") ? __defProp(target, "default", { value: mod, enumerable: true }) : target;
  if (mod && typeof mod === "object" || typeof mod === "function") {
    for (let key of __getOwnPropNames(mod))
      if (!__hasOwnProp.call(to, key))
        __defProp(to, key, {
          get: __accessProp.bind(mod, key),
          enumerable: true
        });
  }
  if (canCache)
    cache.set(mod, to);
  return to;
};
var __commonJS = (cb, mod) => () => (mod || cb((mod = { exports: {} }).exports, mod), mod.exports);

// node_modules/picomatch/lib/constants.js
var require_constants = __commonJS(function(exports, module) {
  var WIN_SLASH = "\\\\/";
  var WIN_NO_SLASH = `[^${WIN_SLASH}]`;
  var DEFAULT_MAX_EXTGLOB_RECURSION = 0;
  var DOT_LITERAL = "\\.";
  var PLUS_LITERAL = "\\+";
  var QMARK_LITERAL = "\\?";
  var SLASH_LITERAL = "\\/";
  var ONE_CHAR = "(?=.)";
  var QMARK = "[^/]";
  var END_ANCHOR = `(?:${SLASH_LITERAL}|$)`;
  var START_ANCHOR = `(?:^|${SLASH_LITERAL})`;
  var DOTS_SLASH = `${DOT_LITERAL}{1,2}${END_ANCHOR}`;
  var NO_DOT = `(?!${DOT_LITERAL})`;
  var NO_DOTS = `(?!${START_ANCHOR}${DOTS_SLASH})`;
  var NO_DOT_SLASH = `(?!${DOT_LITERAL}{0,1}${END_ANCHOR})`;
  var NO_DOTS_SLASH = `(?!${DOTS_SLASH})`;
  var QMARK_NO_DOT = `[^.${SLASH_LITERAL}]`;
  var STAR = `${QMARK}*?`;
  var SEP = "/";
  var POSIX_CHARS = {
    DOT_LITERAL,
    PLUS_LITERAL,
    QMARK_LITERAL,
    SLASH_LITERAL,
    ONE_CHAR,
    QMARK,
    END_ANCHOR,
    DOTS_SLASH,
    NO_DOT,
    NO_DOTS,
    NO_DOT_SLASH,
    NO_DOTS_SLASH,
    QMARK_NO_DOT,
    STAR,
    START_ANCHOR,
    SEP
  };
  var WINDOWS_CHARS = {
    ...POSIX_CHARS,
    SLASH_LITERAL: `[${WIN_SLASH}]`,
    QMARK: WIN_NO_SLASH,
    STAR: `${WIN_NO_SLASH}*?`,
    DOTS_SLASH: `${DOT_LITERAL}{1,2}(?:[${WIN_SLASH}]|$)`,
    NO_DOT: `(?!${DOT_LITERAL})`,
    NO_DOTS: `(?!(?:^|[${WIN_SLASH}])${DOT_LITERAL}{1,2}(?:[${WIN_SLASH}]|$))`,
    NO_DOT_SLASH: `(?!${DOT_LITERAL}{0,1}(?:[${WIN_SLASH}]|$))`,
    NO_DOTS_SLASH: `(?!${DOT_LITERAL}{1,2}(?:[${WIN_SLASH}]|$))`,
    QMARK_NO_DOT: `[^.${WIN_SLASH}]`,
    START_ANCHOR: `(?:^|[${WIN_SLASH}])`,
    END_ANCHOR: `(?:[${WIN_SLASH}]|$)`,
    SEP: "\\"
  };
  var POSIX_REGEX_SOURCE = {
    __proto__: null,
    alnum: "a-zA-Z0-9",
    alpha: "a-zA-Z",
    ascii: "\\x00-\\x7F",
    blank: " \\t",
    cntrl: "\\x00-\\x1F\\x7F",
    digit: "0-9",
    graph: "\\x21-\\x7E",
    lower: "a-z",
    print: "\\x20-\\x7E ",
    punct: "\\-!\"#$%&'()\\*+,./:;<=>?@[\\]^_`{|}~",
    space: " \\t\\r\\n\\v\\f",
    upper: "A-Z",
    word: "A-Za-z0-9_",
    xdigit: "A-Fa-f0-9"
  };
  module.exports = {
    DEFAULT_MAX_EXTGLOB_RECURSION,
    MAX_LENGTH: 1024 * 64,
    POSIX_REGEX_SOURCE,
    REGEX_BACKSLASH: /\\(?![*+?^${}(|)[\]])/g,
    REGEX_NON_SPECIAL_CHARS: /^[^@![\].,$*+?^{}()|\\/]+/,
    REGEX_SPECIAL_CHARS: /[-*+?.^${}(|)[\]]/,
    REGEX_SPECIAL_CHARS_BACKREF: /(\\?)((\W)(\3*))/g,
    REGEX_SPECIAL_CHARS_GLOBAL: /([-*+?.^${}(|)[\]])/g,
    REGEX_REMOVE_BACKSLASH: /(?:\[.*?[^\\]\]|\\(?=.))/g,
    REPLACEMENTS: {
      __proto__: null,
      "***": "*",
      "**/**": "**",
      "**/**/**": "**"
    },
    CHAR_0: 48,
    CHAR_9: 57,
    CHAR_UPPERCASE_A: 65,
    CHAR_LOWERCASE_A: 97,
    CHAR_UPPERCASE_Z: 90,
    CHAR_LOWERCASE_Z: 122,
    CHAR_LEFT_PARENTHESES: 40,
    CHAR_RIGHT_PARENTHESES: 41,
    CHAR_ASTERISK: 42,
    CHAR_AMPERSAND: 38,
    CHAR_AT: 64,
    CHAR_BACKWARD_SLASH: 92,
    CHAR_CARRIAGE_RETURN: 13,
    CHAR_CIRCUMFLEX_ACCENT: 94,
    CHAR_COLON: 58,
    CHAR_COMMA: 44,
    CHAR_DOT: 46,
    CHAR_DOUBLE_QUOTE: 34,
    CHAR_EQUAL: 61,
    CHAR_EXCLAMATION_MARK: 33,
    CHAR_FORM_FEED: 12,
    CHAR_FORWARD_SLASH: 47,
    CHAR_GRAVE_ACCENT: 96,
    CHAR_HASH: 35,
    CHAR_HYPHEN_MINUS: 45,
    CHAR_LEFT_ANGLE_BRACKET: 60,
    CHAR_LEFT_CURLY_BRACE: 123,
    CHAR_LEFT_SQUARE_BRACKET: 91,
    CHAR_LINE_FEED: 10,
    CHAR_NO_BREAK_SPACE: 160,
    CHAR_PERCENT: 37,
    CHAR_PLUS: 43,
    CHAR_QUESTION_MARK: 63,
    CHAR_RIGHT_ANGLE_BRACKET: 62,
    CHAR_RIGHT_CURLY_BRACE: 125,
    CHAR_RIGHT_SQUARE_BRACKET: 93,
    CHAR_SEMICOLON: 59,
    CHAR_SINGLE_QUOTE: 39,
    CHAR_SPACE: 32,
    CHAR_TAB: 9,
    CHAR_UNDERSCORE: 95,
    CHAR_VERTICAL_LINE: 124,
    CHAR_ZERO_WIDTH_NOBREAK_SPACE: 65279,
    extglobChars(chars) {
      return {
        "!": { type: "negate", open: "(?:(?!(?:", close: `))${chars.STAR})` },
        "?": { type: "qmark", open: "(?:", close: ")?" },
        "+": { type: "plus", open: "(?:", close: ")+" },
        "*": { type: "star", open: "(?:", close: ")*" },
        "@": { type: "at", open: "(?:", close: ")" }
      };
    },
    globChars(win32) {
      return win32 === true ? WINDOWS_CHARS : POSIX_CHARS;
    }
  };
});

// node_modules/picomatch/lib/utils.js
var require_utils = __commonJS(function(exports) {
  var {
    REGEX_BACKSLASH,
    REGEX_REMOVE_BACKSLASH,
    REGEX_SPECIAL_CHARS,
    REGEX_SPECIAL_CHARS_GLOBAL
  } = require_constants();
  exports.isObject = (val) => val !== null && typeof val === "object" && !Array.isArray(val);
  exports.hasRegexChars = (str) => REGEX_SPECIAL_CHARS.test(str);
  exports.isRegexChar = (str) => str.length === 1 && exports.hasRegexChars(str);
  exports.escapeRegex = (str) => str.replace(REGEX_SPECIAL_CHARS_GLOBAL, "\\$1");
  exports.toPosixSlashes = (str) => str.replace(REGEX_BACKSLASH, "/");
  exports.isWindows = () => {
    if (typeof navigator !== "undefined" && navigator.platform) {
      const platform = navigator.platform.toLowerCase();
      return platform === "win32" || platform === "windows";
    }
    if (typeof process !== "undefined" && process.platform) {
      return process.platform === "win32";
    }
    return false;
  };
  exports.removeBackslashes = (str) => {
    return str.replace(REGEX_REMOVE_BACKSLASH, (match) => {
      return match === "\\" ? "" : match;
    });
  };
  exports.escapeLast = (input, char, lastIdx) => {
    const idx = input.lastIndexOf(char, lastIdx);
    if (idx === -1)
      return input;
    if (input[idx - 1] === "\\")
      return exports.escapeLast(input, char, idx - 1);
    return `${input.slice(0, idx)}\\${input.slice(idx)}`;
  };
  exports.removePrefix = (input, state = {}) => {
    let output = input;
    if (output.startsWith("./")) {
      output = output.slice(2);
      state.prefix = "./";
    }
    return output;
  };
  exports.wrapOutput = (input, state = {}, options = {}) => {
    const prepend = options.contains ? "" : "^";
    const append = options.contains ? "" : "$";
    let output = `${prepend}(?:${input})${append}`;
    if (state.negated === true) {
      output = `(?:^(?!${output}).*$)`;
    }
    return output;
  };
  exports.basename = (path, { windows } = {}) => {
    const segs = path.split(windows ? /[\\/]/ : "/");
    const last = segs[segs.length - 1];
    if (last === "") {
      return segs[segs.length - 2];
    }
    return last;
  };
});

// node_modules/picomatch/lib/scan.js
var require_scan = __commonJS(function(exports, module) {
  var utils = require_utils();
  var {
    CHAR_ASTERISK,
    CHAR_AT,
    CHAR_BACKWARD_SLASH,
    CHAR_COMMA,
    CHAR_DOT,
    CHAR_EXCLAMATION_MARK,
    CHAR_FORWARD_SLASH,
    CHAR_LEFT_CURLY_BRACE,
    CHAR_LEFT_PARENTHESES,
    CHAR_LEFT_SQUARE_BRACKET,
    CHAR_PLUS,
    CHAR_QUESTION_MARK,
    CHAR_RIGHT_CURLY_BRACE,
    CHAR_RIGHT_PARENTHESES,
    CHAR_RIGHT_SQUARE_BRACKET
  } = require_constants();
  var isPathSeparator = (code) => {
    return code === CHAR_FORWARD_SLASH || code === CHAR_BACKWARD_SLASH;
  };
  var depth = (token) => {
    if (token.isPrefix !== true) {
      token.depth = token.isGlobstar ? Infinity : 1;
    }
  };
  var scan = (input, options) => {
    const opts = options || {};
    const length = input.length - 1;
    const scanToEnd = opts.parts === true || opts.tokens === true || opts.scanToEnd === true;
    const slashes = [];
    const tokens = [];
    const parts = [];
    let str = input;
    let index = -1;
    let start = 0;
    let lastIndex = 0;
    let isBrace = false;
    let isBracket = false;
    let isGlob = false;
    let isExtglob = false;
    let isGlobstar = false;
    let braceEscaped = false;
    let backslashes = false;
    let negated = false;
    let negatedExtglob = false;
    let finished = false;
    let braces = 0;
    let prev;
    let code;
    let token = { value: "", depth: 0, isGlob: false };
    const eos = () => index >= length;
    const peek = () => str.charCodeAt(index + 1);
    const advance = () => {
      prev = code;
      return str.charCodeAt(++index);
    };
    while (index < length) {
      code = advance();
      let next;
      if (code === CHAR_BACKWARD_SLASH) {
        backslashes = token.backslashes = true;
        code = advance();
        if (code === CHAR_LEFT_CURLY_BRACE) {
          braceEscaped = true;
        }
        continue;
      }
      if (braceEscaped === true || code === CHAR_LEFT_CURLY_BRACE) {
        braces++;
        while (eos() !== true && (code = advance())) {
          if (code === CHAR_BACKWARD_SLASH) {
            backslashes = token.backslashes = true;
            advance();
            continue;
          }
          if (code === CHAR_LEFT_CURLY_BRACE) {
            braces++;
            continue;
          }
          if (braceEscaped !== true && code === CHAR_DOT && (code = advance()) === CHAR_DOT) {
            isBrace = token.isBrace = true;
            isGlob = token.isGlob = true;
            finished = true;
            if (scanToEnd === true) {
              continue;
            }
            break;
          }
          if (braceEscaped !== true && code === CHAR_COMMA) {
            isBrace = token.isBrace = true;
            isGlob = token.isGlob = true;
            finished = true;
            if (scanToEnd === true) {
              continue;
            }
            break;
          }
          if (code === CHAR_RIGHT_CURLY_BRACE) {
            braces--;
            if (braces === 0) {
              braceEscaped = false;
              isBrace = token.isBrace = true;
              finished = true;
              break;
            }
          }
        }
        if (scanToEnd === true) {
          continue;
        }
        break;
      }
      if (code === CHAR_FORWARD_SLASH) {
        slashes.push(index);
        tokens.push(token);
        token = { value: "", depth: 0, isGlob: false };
        if (finished === true)
          continue;
        if (prev === CHAR_DOT && index === start + 1) {
          start += 2;
          continue;
        }
        lastIndex = index + 1;
        continue;
      }
      if (opts.noext !== true) {
        const isExtglobChar = code === CHAR_PLUS || code === CHAR_AT || code === CHAR_ASTERISK || code === CHAR_QUESTION_MARK || code === CHAR_EXCLAMATION_MARK;
        if (isExtglobChar === true && peek() === CHAR_LEFT_PARENTHESES) {
          isGlob = token.isGlob = true;
          isExtglob = token.isExtglob = true;
          finished = true;
          if (code === CHAR_EXCLAMATION_MARK && index === start) {
            negatedExtglob = true;
          }
          if (scanToEnd === true) {
            let parens = 0;
            while (eos() !== true && (code = advance())) {
              if (code === CHAR_BACKWARD_SLASH) {
                backslashes = token.backslashes = true;
                advance();
                continue;
              }
              if (code === CHAR_LEFT_PARENTHESES) {
                parens++;
                continue;
              }
              if (code === CHAR_RIGHT_PARENTHESES && --parens === 0) {
                finished = true;
                break;
              }
            }
            continue;
          }
          break;
        }
      }
      if (code === CHAR_ASTERISK) {
        if (prev === CHAR_ASTERISK)
          isGlobstar = token.isGlobstar = true;
        isGlob = token.isGlob = true;
        finished = true;
        if (scanToEnd === true) {
          continue;
        }
        break;
      }
      if (code === CHAR_QUESTION_MARK) {
        isGlob = token.isGlob = true;
        finished = true;
        if (scanToEnd === true) {
          continue;
        }
        break;
      }
      if (code === CHAR_LEFT_SQUARE_BRACKET) {
        while (eos() !== true && (next = advance())) {
          if (next === CHAR_BACKWARD_SLASH) {
            backslashes = token.backslashes = true;
            advance();
            continue;
          }
          if (next === CHAR_RIGHT_SQUARE_BRACKET) {
            isBracket = token.isBracket = true;
            isGlob = token.isGlob = true;
            finished = true;
            break;
          }
        }
        if (scanToEnd === true) {
          continue;
        }
        break;
      }
      if (opts.nonegate !== true && code === CHAR_EXCLAMATION_MARK && index === start) {
        negated = token.negated = true;
        start++;
        continue;
      }
      if (opts.noparen !== true && code === CHAR_LEFT_PARENTHESES) {
        isGlob = token.isGlob = true;
        if (scanToEnd === true) {
          let parens = 1;
          while (eos() !== true && (code = advance())) {
            if (code === CHAR_BACKWARD_SLASH) {
              backslashes = token.backslashes = true;
              advance();
              continue;
            }
            if (code === CHAR_LEFT_PARENTHESES) {
              parens++;
              continue;
            }
            if (code === CHAR_RIGHT_PARENTHESES && --parens === 0) {
              finished = true;
              break;
            }
          }
          continue;
        }
        break;
      }
      if (isGlob === true) {
        finished = true;
        if (scanToEnd === true) {
          continue;
        }
        break;
      }
    }
    if (opts.noext === true) {
      isExtglob = false;
      isGlob = false;
    }
    let base = str;
    let prefix = "";
    let glob = "";
    if (start > 0) {
      prefix = str.slice(0, start);
      str = str.slice(start);
      lastIndex -= start;
    }
    if (base && isGlob === true && lastIndex > 0) {
      base = str.slice(0, lastIndex);
      glob = str.slice(lastIndex);
    } else if (isGlob === true) {
      base = "";
      glob = str;
    } else {
      base = str;
    }
    if (base && base !== "" && base !== "/" && base !== str) {
      if (isPathSeparator(base.charCodeAt(base.length - 1))) {
        base = base.slice(0, -1);
      }
    }
    if (opts.unescape === true) {
      if (glob)
        glob = utils.removeBackslashes(glob);
      if (base && backslashes === true) {
        base = utils.removeBackslashes(base);
      }
    }
    const state = {
      prefix,
      input,
      start,
      base,
      glob,
      isBrace,
      isBracket,
      isGlob,
      isExtglob,
      isGlobstar,
      negated,
      negatedExtglob
    };
    if (opts.tokens === true) {
      state.maxDepth = 0;
      if (!isPathSeparator(code)) {
        tokens.push(token);
      }
      state.tokens = tokens;
    }
    if (opts.parts === true || opts.tokens === true) {
      let prevIndex;
      for (let idx = 0;idx < slashes.length; idx++) {
        const n = prevIndex !== undefined ? prevIndex + 1 : start;
        const i = slashes[idx];
        const value = input.slice(n, i);
        if (opts.tokens) {
          if (idx === 0 && start !== 0) {
            tokens[idx].isPrefix = true;
            tokens[idx].value = prefix;
          } else {
            tokens[idx].value = value;
          }
          depth(tokens[idx]);
          state.maxDepth += tokens[idx].depth;
        }
        if (i >= start) {
          parts.push(value);
          prevIndex = i;
        }
      }
      const n = prevIndex !== undefined ? prevIndex + 1 : start;
      const value = input.slice(n);
      parts.push(value);
      if (opts.tokens && prevIndex && prevIndex + 1 < input.length) {
        tokens[tokens.length - 1].value = value;
        depth(tokens[tokens.length - 1]);
        state.maxDepth += tokens[tokens.length - 1].depth;
      }
      state.slashes = slashes;
      state.parts = parts;
    }
    return state;
  };
  module.exports = scan;
});

// node_modules/picomatch/lib/parse.js
var require_parse = __commonJS(function(exports, module) {
  var constants = require_constants();
  var utils = require_utils();
  var {
    MAX_LENGTH,
    POSIX_REGEX_SOURCE,
    REGEX_NON_SPECIAL_CHARS,
    REGEX_SPECIAL_CHARS_BACKREF,
    REPLACEMENTS
  } = constants;
  var expandRange = (args, options) => {
    if (typeof options.expandRange === "function") {
      return options.expandRange(...args, options);
    }
    args.sort();
    const value = `[${args.join("-")}]`;
    try {
      new RegExp(value);
    } catch (ex) {
      return args.map((v) => utils.escapeRegex(v)).join("..");
    }
    return value;
  };
  var syntaxError = (type, char) => {
    return `Missing ${type}: "${char}" - use "\\\\${char}" to match literal characters`;
  };
  var splitTopLevel = (input) => {
    const parts = [];
    let bracket = 0;
    let paren = 0;
    let quote = 0;
    let value = "";
    let escaped = false;
    for (const ch of input) {
      if (escaped === true) {
        value += ch;
        escaped = false;
        continue;
      }
      if (ch === "\\") {
        value += ch;
        escaped = true;
        continue;
      }
      if (ch === '"') {
        quote = quote === 1 ? 0 : 1;
        value += ch;
        continue;
      }
      if (quote === 0) {
        if (ch === "[") {
          bracket++;
        } else if (ch === "]" && bracket > 0) {
          bracket--;
        } else if (bracket === 0) {
          if (ch === "(") {
            paren++;
          } else if (ch === ")" && paren > 0) {
            paren--;
          } else if (ch === "|" && paren === 0) {
            parts.push(value);
            value = "";
            continue;
          }
        }
      }
      value += ch;
    }
    parts.push(value);
    return parts;
  };
  var isPlainBranch = (branch) => {
    let escaped = false;
    for (const ch of branch) {
      if (escaped === true) {
        escaped = false;
        continue;
      }
      if (ch === "\\") {
        escaped = true;
        continue;
      }
      if (/[?*+@!()[\]{}]/.test(ch)) {
        return false;
      }
    }
    return true;
  };
  var normalizeSimpleBranch = (branch) => {
    let value = branch.trim();
    let changed = true;
    while (changed === true) {
      changed = false;
      if (/^@\([^\\()[\]{}|]+\)$/.test(value)) {
        value = value.slice(2, -1);
        changed = true;
      }
    }
    if (!isPlainBranch(value)) {
      return;
    }
    return value.replace(/\\(.)/g, "$1");
  };
  var hasRepeatedCharPrefixOverlap = (branches) => {
    const values = branches.map(normalizeSimpleBranch).filter(Boolean);
    for (let i = 0;i < values.length; i++) {
      for (let j = i + 1;j < values.length; j++) {
        const a = values[i];
        const b = values[j];
        const char = a[0];
        if (!char || a !== char.repeat(a.length) || b !== char.repeat(b.length)) {
          continue;
        }
        if (a === b || a.startsWith(b) || b.startsWith(a)) {
          return true;
        }
      }
    }
    return false;
  };
  var parseRepeatedExtglob = (pattern, requireEnd = true) => {
    if (pattern[0] !== "+" && pattern[0] !== "*" || pattern[1] !== "(") {
      return;
    }
    let bracket = 0;
    let paren = 0;
    let quote = 0;
    let escaped = false;
    for (let i = 1;i < pattern.length; i++) {
      const ch = pattern[i];
      if (escaped === true) {
        escaped = false;
        continue;
      }
      if (ch === "\\") {
        escaped = true;
        continue;
      }
      if (ch === '"') {
        quote = quote === 1 ? 0 : 1;
        continue;
      }
      if (quote === 1) {
        continue;
      }
      if (ch === "[") {
        bracket++;
        continue;
      }
      if (ch === "]" && bracket > 0) {
        bracket--;
        continue;
      }
      if (bracket > 0) {
        continue;
      }
      if (ch === "(") {
        paren++;
        continue;
      }
      if (ch === ")") {
        paren--;
        if (paren === 0) {
          if (requireEnd === true && i !== pattern.length - 1) {
            return;
          }
          return {
            type: pattern[0],
            body: pattern.slice(2, i),
            end: i
          };
        }
      }
    }
  };
  var buildCharClassStar = (chars) => {
    const source = chars.length === 1 ? utils.escapeRegex(chars[0]) : `[${chars.map((ch) => utils.escapeRegex(ch)).join("")}]`;
    return `${source}*`;
  };
  var getStarExtglobSequenceChars = (pattern) => {
    let index = 0;
    const chars = [];
    while (index < pattern.length) {
      const match = parseRepeatedExtglob(pattern.slice(index), false);
      if (!match || match.type !== "*") {
        return;
      }
      const branches = splitTopLevel(match.body).map((branch) => branch.trim());
      if (branches.length !== 1) {
        return;
      }
      const branch = normalizeSimpleBranch(branches[0]);
      if (!branch || branch.length !== 1) {
        return;
      }
      chars.push(branch);
      index += match.end + 1;
    }
    if (chars.length < 1) {
      return;
    }
    return chars;
  };
  var repeatedExtglobRecursion = (pattern) => {
    let depth = 0;
    let value = pattern.trim();
    let match = parseRepeatedExtglob(value);
    while (match) {
      depth++;
      value = match.body.trim();
      match = parseRepeatedExtglob(value);
    }
    return depth;
  };
  var analyzeRepeatedExtglob = (body, options) => {
    if (options.maxExtglobRecursion === false) {
      return { risky: false };
    }
    const max = typeof options.maxExtglobRecursion === "number" ? options.maxExtglobRecursion : constants.DEFAULT_MAX_EXTGLOB_RECURSION;
    const branches = splitTopLevel(body).map((branch) => branch.trim());
    if (branches.length > 1) {
      if (branches.some((branch) => branch === "") || branches.some((branch) => /^[*?]+$/.test(branch)) || hasRepeatedCharPrefixOverlap(branches)) {
        return { risky: true };
      }
    }
    const safeChars = [];
    let sawStarSequence = false;
    let combinable = true;
    for (const branch of branches) {
      const chars = getStarExtglobSequenceChars(branch);
      if (chars) {
        sawStarSequence = true;
        safeChars.push(...chars);
        continue;
      }
      const literal = normalizeSimpleBranch(branch);
      if (literal && literal.length === 1) {
        safeChars.push(literal);
        continue;
      }
      combinable = false;
      if (repeatedExtglobRecursion(branch) > max) {
        return { risky: true };
      }
    }
    if (sawStarSequence) {
      return combinable ? { risky: true, safeOutput: buildCharClassStar([...new Set(safeChars)]) } : { risky: true };
    }
    return { risky: false };
  };
  var parse = (input, options) => {
    if (typeof input !== "string") {
      throw new TypeError("Expected a string");
    }
    input = REPLACEMENTS[input] || input;
    const opts = { ...options };
    const max = typeof opts.maxLength === "number" ? Math.min(MAX_LENGTH, opts.maxLength) : MAX_LENGTH;
    let len = input.length;
    if (len > max) {
      throw new SyntaxError(`Input length: ${len}, exceeds maximum allowed length: ${max}`);
    }
    const bos = { type: "bos", value: "", output: opts.prepend || "" };
    const tokens = [bos];
    const capture = opts.capture ? "" : "?:";
    const PLATFORM_CHARS = constants.globChars(opts.windows);
    const EXTGLOB_CHARS = constants.extglobChars(PLATFORM_CHARS);
    const {
      DOT_LITERAL,
      PLUS_LITERAL,
      SLASH_LITERAL,
      ONE_CHAR,
      DOTS_SLASH,
      NO_DOT,
      NO_DOT_SLASH,
      NO_DOTS_SLASH,
      QMARK,
      QMARK_NO_DOT,
      STAR,
      START_ANCHOR
    } = PLATFORM_CHARS;
    const globstar = (opts) => {
      return `(${capture}(?:(?!${START_ANCHOR}${opts.dot ? DOTS_SLASH : DOT_LITERAL}).)*?)`;
    };
    const nodot = opts.dot ? "" : NO_DOT;
    const qmarkNoDot = opts.dot ? QMARK : QMARK_NO_DOT;
    let star = opts.bash === true ? globstar(opts) : STAR;
    if (opts.capture) {
      star = `(${star})`;
    }
    if (typeof opts.noext === "boolean") {
      opts.noextglob = opts.noext;
    }
    const state = {
      input,
      index: -1,
      start: 0,
      dot: opts.dot === true,
      consumed: "",
      output: "",
      prefix: "",
      backtrack: false,
      negated: false,
      brackets: 0,
      braces: 0,
      parens: 0,
      quotes: 0,
      globstar: false,
      tokens
    };
    input = utils.removePrefix(input, state);
    len = input.length;
    const extglobs = [];
    const braces = [];
    const stack = [];
    let prev = bos;
    let value;
    const eos = () => state.index === len - 1;
    const peek = state.peek = (n = 1) => input[state.index + n];
    const advance = state.advance = () => input[++state.index] || "";
    const remaining = () => input.slice(state.index + 1);
    const consume = (value = "", num = 0) => {
      state.consumed += value;
      state.index += num;
    };
    const append = (token) => {
      state.output += token.output != null ? token.output : token.value;
      consume(token.value);
    };
    const negate = () => {
      let count = 1;
      while (peek() === "!" && (peek(2) !== "(" || peek(3) === "?")) {
        advance();
        state.start++;
        count++;
      }
      if (count % 2 === 0) {
        return false;
      }
      state.negated = true;
      state.start++;
      return true;
    };
    const increment = (type) => {
      state[type]++;
      stack.push(type);
    };
    const decrement = (type) => {
      state[type]--;
      stack.pop();
    };
    const push = (tok) => {
      if (prev.type === "globstar") {
        const isBrace = state.braces > 0 && (tok.type === "comma" || tok.type === "brace");
        const isExtglob = tok.extglob === true || extglobs.length && (tok.type === "pipe" || tok.type === "paren");
        if (tok.type !== "slash" && tok.type !== "paren" && !isBrace && !isExtglob) {
          state.output = state.output.slice(0, -prev.output.length);
          prev.type = "star";
          prev.value = "*";
          prev.output = star;
          state.output += prev.output;
        }
      }
      if (extglobs.length && tok.type !== "paren") {
        extglobs[extglobs.length - 1].inner += tok.value;
      }
      if (tok.value || tok.output)
        append(tok);
      if (prev && prev.type === "text" && tok.type === "text") {
        prev.output = (prev.output || prev.value) + tok.value;
        prev.value += tok.value;
        return;
      }
      tok.prev = prev;
      tokens.push(tok);
      prev = tok;
    };
    const extglobOpen = (type, value) => {
      const token = { ...EXTGLOB_CHARS[value], conditions: 1, inner: "" };
      token.prev = prev;
      token.parens = state.parens;
      token.output = state.output;
      token.startIndex = state.index;
      token.tokensIndex = tokens.length;
      const output = (opts.capture ? "(" : "") + token.open;
      increment("parens");
      push({ type, value, output: state.output ? "" : ONE_CHAR });
      push({ type: "paren", extglob: true, value: advance(), output });
      extglobs.push(token);
    };
    const extglobClose = (token) => {
      const literal = input.slice(token.startIndex, state.index + 1);
      const body = input.slice(token.startIndex + 2, state.index);
      const analysis = analyzeRepeatedExtglob(body, opts);
      if ((token.type === "plus" || token.type === "star") && analysis.risky) {
        const safeOutput = analysis.safeOutput ? (token.output ? "" : ONE_CHAR) + (opts.capture ? `(${analysis.safeOutput})` : analysis.safeOutput) : undefined;
        const open = tokens[token.tokensIndex];
        open.type = "text";
        open.value = literal;
        open.output = safeOutput || utils.escapeRegex(literal);
        for (let i = token.tokensIndex + 1;i < tokens.length; i++) {
          tokens[i].value = "";
          tokens[i].output = "";
          delete tokens[i].suffix;
        }
        state.output = token.output + open.output;
        state.backtrack = true;
        push({ type: "paren", extglob: true, value, output: "" });
        decrement("parens");
        return;
      }
      let output = token.close + (opts.capture ? ")" : "");
      let rest;
      if (token.type === "negate") {
        let extglobStar = star;
        if (token.inner && token.inner.length > 1 && token.inner.includes("/")) {
          extglobStar = globstar(opts);
        }
        if (extglobStar !== star || eos() || /^\)+$/.test(remaining())) {
          output = token.close = `)$))${extglobStar}`;
        }
        if (token.inner.includes("*") && (rest = remaining()) && /^\.[^\\/.]+$/.test(rest)) {
          const expression = parse(rest, { ...options, fastpaths: false }).output;
          output = token.close = `)${expression})${extglobStar})`;
        }
        if (token.prev.type === "bos") {
          state.negatedExtglob = true;
        }
      }
      push({ type: "paren", extglob: true, value, output });
      decrement("parens");
    };
    if (opts.fastpaths !== false && !/(^[*!]|[/()[\]{}"])/.test(input)) {
      let backslashes = false;
      let output = input.replace(REGEX_SPECIAL_CHARS_BACKREF, (m, esc, chars, first, rest, index) => {
        if (first === "\\") {
          backslashes = true;
          return m;
        }
        if (first === "?") {
          if (esc) {
            return esc + first + (rest ? QMARK.repeat(rest.length) : "");
          }
          if (index === 0) {
            return qmarkNoDot + (rest ? QMARK.repeat(rest.length) : "");
          }
          return QMARK.repeat(chars.length);
        }
        if (first === ".") {
          return DOT_LITERAL.repeat(chars.length);
        }
        if (first === "*") {
          if (esc) {
            return esc + first + (rest ? star : "");
          }
          return star;
        }
        return esc ? m : `\\${m}`;
      });
      if (backslashes === true) {
        if (opts.unescape === true) {
          output = output.replace(/\\/g, "");
        } else {
          output = output.replace(/\\+/g, (m) => {
            return m.length % 2 === 0 ? "\\\\" : m ? "\\" : "";
          });
        }
      }
      if (output === input && opts.contains === true) {
        state.output = input;
        return state;
      }
      state.output = utils.wrapOutput(output, state, options);
      return state;
    }
    while (!eos()) {
      value = advance();
      if (value === "\x00") {
        continue;
      }
      if (value === "\\") {
        const next = peek();
        if (next === "/" && opts.bash !== true) {
          continue;
        }
        if (next === "." || next === ";") {
          continue;
        }
        if (!next) {
          value += "\\";
          push({ type: "text", value });
          continue;
        }
        const match = /^\\+/.exec(remaining());
        let slashes = 0;
        if (match && match[0].length > 2) {
          slashes = match[0].length;
          state.index += slashes;
          if (slashes % 2 !== 0) {
            value += "\\";
          }
        }
        if (opts.unescape === true) {
          value = advance();
        } else {
          value += advance();
        }
        if (state.brackets === 0) {
          push({ type: "text", value });
          continue;
        }
      }
      if (state.brackets > 0 && (value !== "]" || prev.value === "[" || prev.value === "[^")) {
        if (opts.posix !== false && value === ":") {
          const inner = prev.value.slice(1);
          if (inner.includes("[")) {
            prev.posix = true;
            if (inner.includes(":")) {
              const idx = prev.value.lastIndexOf("[");
              const pre = prev.value.slice(0, idx);
              const rest = prev.value.slice(idx + 2);
              const posix = POSIX_REGEX_SOURCE[rest];
              if (posix) {
                prev.value = pre + posix;
                state.backtrack = true;
                advance();
                if (!bos.output && tokens.indexOf(prev) === 1) {
                  bos.output = ONE_CHAR;
                }
                continue;
              }
            }
          }
        }
        if (value === "[" && peek() !== ":" || value === "-" && peek() === "]") {
          value = `\\${value}`;
        }
        if (value === "]" && (prev.value === "[" || prev.value === "[^")) {
          value = `\\${value}`;
        }
        if (opts.posix === true && value === "!" && prev.value === "[") {
          value = "^";
        }
        prev.value += value;
        append({ value });
        continue;
      }
      if (state.quotes === 1 && value !== '"') {
        value = utils.escapeRegex(value);
        prev.value += value;
        append({ value });
        continue;
      }
      if (value === '"') {
        state.quotes = state.quotes === 1 ? 0 : 1;
        if (opts.keepQuotes === true) {
          push({ type: "text", value });
        }
        continue;
      }
      if (value === "(") {
        increment("parens");
        push({ type: "paren", value });
        continue;
      }
      if (value === ")") {
        if (state.parens === 0 && opts.strictBrackets === true) {
          throw new SyntaxError(syntaxError("opening", "("));
        }
        const extglob = extglobs[extglobs.length - 1];
        if (extglob && state.parens === extglob.parens + 1) {
          extglobClose(extglobs.pop());
          continue;
        }
        push({ type: "paren", value, output: state.parens ? ")" : "\\)" });
        decrement("parens");
        continue;
      }
      if (value === "[") {
        if (opts.nobracket === true || !remaining().includes("]")) {
          if (opts.nobracket !== true && opts.strictBrackets === true) {
            throw new SyntaxError(syntaxError("closing", "]"));
          }
          value = `\\${value}`;
        } else {
          increment("brackets");
        }
        push({ type: "bracket", value });
        continue;
      }
      if (value === "]") {
        if (opts.nobracket === true || prev && prev.type === "bracket" && prev.value.length === 1) {
          push({ type: "text", value, output: `\\${value}` });
          continue;
        }
        if (state.brackets === 0) {
          if (opts.strictBrackets === true) {
            throw new SyntaxError(syntaxError("opening", "["));
          }
          push({ type: "text", value, output: `\\${value}` });
          continue;
        }
        decrement("brackets");
        const prevValue = prev.value.slice(1);
        if (prev.posix !== true && prevValue[0] === "^" && !prevValue.includes("/")) {
          value = `/${value}`;
        }
        prev.value += value;
        append({ value });
        if (opts.literalBrackets === false || utils.hasRegexChars(prevValue)) {
          continue;
        }
        const escaped = utils.escapeRegex(prev.value);
        state.output = state.output.slice(0, -prev.value.length);
        if (opts.literalBrackets === true) {
          state.output += escaped;
          prev.value = escaped;
          continue;
        }
        prev.value = `(${capture}${escaped}|${prev.value})`;
        state.output += prev.value;
        continue;
      }
      if (value === "{" && opts.nobrace !== true) {
        increment("braces");
        const open = {
          type: "brace",
          value,
          output: "(",
          outputIndex: state.output.length,
          tokensIndex: state.tokens.length
        };
        braces.push(open);
        push(open);
        continue;
      }
      if (value === "}") {
        const brace = braces[braces.length - 1];
        if (opts.nobrace === true || !brace) {
          push({ type: "text", value, output: value });
          continue;
        }
        let output = ")";
        if (brace.dots === true) {
          const arr = tokens.slice();
          const range = [];
          for (let i = arr.length - 1;i >= 0; i--) {
            tokens.pop();
            if (arr[i].type === "brace") {
              break;
            }
            if (arr[i].type !== "dots") {
              range.unshift(arr[i].value);
            }
          }
          output = expandRange(range, opts);
          state.backtrack = true;
        }
        if (brace.comma !== true && brace.dots !== true) {
          const out = state.output.slice(0, brace.outputIndex);
          const toks = state.tokens.slice(brace.tokensIndex);
          brace.value = brace.output = "\\{";
          value = output = "\\}";
          state.output = out;
          for (const t of toks) {
            state.output += t.output || t.value;
          }
        }
        push({ type: "brace", value, output });
        decrement("braces");
        braces.pop();
        continue;
      }
      if (value === "|") {
        if (extglobs.length > 0) {
          extglobs[extglobs.length - 1].conditions++;
        }
        push({ type: "text", value });
        continue;
      }
      if (value === ",") {
        let output = value;
        const brace = braces[braces.length - 1];
        if (brace && stack[stack.length - 1] === "braces") {
          brace.comma = true;
          output = "|";
        }
        push({ type: "comma", value, output });
        continue;
      }
      if (value === "/") {
        if (prev.type === "dot" && state.index === state.start + 1) {
          state.start = state.index + 1;
          state.consumed = "";
          state.output = "";
          tokens.pop();
          prev = bos;
          continue;
        }
        push({ type: "slash", value, output: SLASH_LITERAL });
        continue;
      }
      if (value === ".") {
        if (state.braces > 0 && prev.type === "dot") {
          if (prev.value === ".")
            prev.output = DOT_LITERAL;
          const brace = braces[braces.length - 1];
          prev.type = "dots";
          prev.output += value;
          prev.value += value;
          brace.dots = true;
          continue;
        }
        if (state.braces + state.parens === 0 && prev.type !== "bos" && prev.type !== "slash") {
          push({ type: "text", value, output: DOT_LITERAL });
          continue;
        }
        push({ type: "dot", value, output: DOT_LITERAL });
        continue;
      }
      if (value === "?") {
        const isGroup = prev && prev.value === "(";
        if (!isGroup && opts.noextglob !== true && peek() === "(" && peek(2) !== "?") {
          extglobOpen("qmark", value);
          continue;
        }
        if (prev && prev.type === "paren") {
          const next = peek();
          let output = value;
          if (prev.value === "(" && !/[!=<:]/.test(next) || next === "<" && !/<([!=]|\w+>)/.test(remaining())) {
            output = `\\${value}`;
          }
          push({ type: "text", value, output });
          continue;
        }
        if (opts.dot !== true && (prev.type === "slash" || prev.type === "bos")) {
          push({ type: "qmark", value, output: QMARK_NO_DOT });
          continue;
        }
        push({ type: "qmark", value, output: QMARK });
        continue;
      }
      if (value === "!") {
        if (opts.noextglob !== true && peek() === "(") {
          if (peek(2) !== "?" || !/[!=<:]/.test(peek(3))) {
            extglobOpen("negate", value);
            continue;
          }
        }
        if (opts.nonegate !== true && state.index === 0) {
          negate();
          continue;
        }
      }
      if (value === "+") {
        if (opts.noextglob !== true && peek() === "(" && peek(2) !== "?") {
          extglobOpen("plus", value);
          continue;
        }
        if (prev && prev.value === "(" || opts.regex === false) {
          push({ type: "plus", value, output: PLUS_LITERAL });
          continue;
        }
        if (prev && (prev.type === "bracket" || prev.type === "paren" || prev.type === "brace") || state.parens > 0) {
          push({ type: "plus", value });
          continue;
        }
        push({ type: "plus", value: PLUS_LITERAL });
        continue;
      }
      if (value === "@") {
        if (opts.noextglob !== true && peek() === "(" && peek(2) !== "?") {
          push({ type: "at", extglob: true, value, output: "" });
          continue;
        }
        push({ type: "text", value });
        continue;
      }
      if (value !== "*") {
        if (value === "$" || value === "^") {
          value = `\\${value}`;
        }
        const match = REGEX_NON_SPECIAL_CHARS.exec(remaining());
        if (match) {
          value += match[0];
          state.index += match[0].length;
        }
        push({ type: "text", value });
        continue;
      }
      if (prev && (prev.type === "globstar" || prev.star === true)) {
        prev.type = "star";
        prev.star = true;
        prev.value += value;
        prev.output = star;
        state.backtrack = true;
        state.globstar = true;
        consume(value);
        continue;
      }
      let rest = remaining();
      if (opts.noextglob !== true && /^\([^?]/.test(rest)) {
        extglobOpen("star", value);
        continue;
      }
      if (prev.type === "star") {
        if (opts.noglobstar === true) {
          consume(value);
          continue;
        }
        const prior = prev.prev;
        const before = prior.prev;
        const isStart = prior.type === "slash" || prior.type === "bos";
        const afterStar = before && (before.type === "star" || before.type === "globstar");
        if (opts.bash === true && (!isStart || rest[0] && rest[0] !== "/")) {
          push({ type: "star", value, output: "" });
          continue;
        }
        const isBrace = state.braces > 0 && (prior.type === "comma" || prior.type === "brace");
        const isExtglob = extglobs.length && (prior.type === "pipe" || prior.type === "paren");
        if (!isStart && prior.type !== "paren" && !isBrace && !isExtglob) {
          push({ type: "star", value, output: "" });
          continue;
        }
        while (rest.slice(0, 3) === "/**") {
          const after = input[state.index + 4];
          if (after && after !== "/") {
            break;
          }
          rest = rest.slice(3);
          consume("/**", 3);
        }
        const isEnd = eos() || state.parens > 0 && rest === ")".repeat(state.parens) && !extglobs.some((extglob) => extglob.type === "negate");
        if (prior.type === "bos" && eos()) {
          prev.type = "globstar";
          prev.value += value;
          prev.output = globstar(opts);
          state.output = prev.output;
          state.globstar = true;
          consume(value);
          continue;
        }
        if (prior.type === "slash" && prior.prev.type !== "bos" && !afterStar && isEnd) {
          state.output = state.output.slice(0, -(prior.output + prev.output).length);
          prior.output = `(?:${prior.output}`;
          prev.type = "globstar";
          prev.output = globstar(opts) + (opts.strictSlashes ? ")" : "|$)");
          prev.value += value;
          state.globstar = true;
          state.output += prior.output + prev.output;
          consume(value);
          continue;
        }
        if (prior.type === "slash" && prior.prev.type !== "bos" && rest[0] === "/") {
          const end = rest[1] !== undefined ? "|$" : "";
          state.output = state.output.slice(0, -(prior.output + prev.output).length);
          prior.output = `(?:${prior.output}`;
          prev.type = "globstar";
          prev.output = `${globstar(opts)}${SLASH_LITERAL}|${SLASH_LITERAL}${end})`;
          prev.value += value;
          state.output += prior.output + prev.output;
          state.globstar = true;
          consume(value + advance());
          push({ type: "slash", value: "/", output: "" });
          continue;
        }
        if (prior.type === "bos" && rest[0] === "/") {
          prev.type = "globstar";
          prev.value += value;
          prev.output = `(?:^|${SLASH_LITERAL}|${globstar(opts)}${SLASH_LITERAL})`;
          state.output = prev.output;
          state.globstar = true;
          consume(value + advance());
          push({ type: "slash", value: "/", output: "" });
          continue;
        }
        state.output = state.output.slice(0, -prev.output.length);
        prev.type = "globstar";
        prev.output = globstar(opts);
        prev.value += value;
        state.output += prev.output;
        state.globstar = true;
        consume(value);
        continue;
      }
      const token = { type: "star", value, output: star };
      if (opts.bash === true) {
        token.output = ".*?";
        if (prev.type === "bos" || prev.type === "slash") {
          token.output = nodot + token.output;
        }
        push(token);
        continue;
      }
      if (prev && (prev.type === "bracket" || prev.type === "paren") && opts.regex === true) {
        token.output = value;
        push(token);
        continue;
      }
      if (state.index === state.start || prev.type === "slash" || prev.type === "dot") {
        if (prev.type === "dot") {
          state.output += NO_DOT_SLASH;
          prev.output += NO_DOT_SLASH;
        } else if (opts.dot === true) {
          state.output += NO_DOTS_SLASH;
          prev.output += NO_DOTS_SLASH;
        } else {
          state.output += nodot;
          prev.output += nodot;
        }
        if (peek() !== "*") {
          state.output += ONE_CHAR;
          prev.output += ONE_CHAR;
        }
      }
      push(token);
    }
    while (state.brackets > 0) {
      if (opts.strictBrackets === true)
        throw new SyntaxError(syntaxError("closing", "]"));
      state.output = utils.escapeLast(state.output, "[");
      decrement("brackets");
    }
    while (state.parens > 0) {
      if (opts.strictBrackets === true)
        throw new SyntaxError(syntaxError("closing", ")"));
      state.output = utils.escapeLast(state.output, "(");
      decrement("parens");
    }
    while (state.braces > 0) {
      if (opts.strictBrackets === true)
        throw new SyntaxError(syntaxError("closing", "}"));
      state.output = utils.escapeLast(state.output, "{");
      decrement("braces");
    }
    if (opts.strictSlashes !== true && (prev.type === "star" || prev.type === "bracket")) {
      push({ type: "maybe_slash", value: "", output: `${SLASH_LITERAL}?` });
    }
    if (state.backtrack === true) {
      state.output = "";
      for (const token of state.tokens) {
        state.output += token.output != null ? token.output : token.value;
        if (token.suffix) {
          state.output += token.suffix;
        }
      }
    }
    return state;
  };
  parse.fastpaths = (input, options) => {
    const opts = { ...options };
    const max = typeof opts.maxLength === "number" ? Math.min(MAX_LENGTH, opts.maxLength) : MAX_LENGTH;
    const len = input.length;
    if (len > max) {
      throw new SyntaxError(`Input length: ${len}, exceeds maximum allowed length: ${max}`);
    }
    input = REPLACEMENTS[input] || input;
    const {
      DOT_LITERAL,
      SLASH_LITERAL,
      ONE_CHAR,
      DOTS_SLASH,
      NO_DOT,
      NO_DOTS,
      NO_DOTS_SLASH,
      STAR,
      START_ANCHOR
    } = constants.globChars(opts.windows);
    const nodot = opts.dot ? NO_DOTS : NO_DOT;
    const slashDot = opts.dot ? NO_DOTS_SLASH : NO_DOT;
    const capture = opts.capture ? "" : "?:";
    const state = { negated: false, prefix: "" };
    let star = opts.bash === true ? ".*?" : STAR;
    if (opts.capture) {
      star = `(${star})`;
    }
    const globstar = (opts) => {
      if (opts.noglobstar === true)
        return star;
      return `(${capture}(?:(?!${START_ANCHOR}${opts.dot ? DOTS_SLASH : DOT_LITERAL}).)*?)`;
    };
    const create = (str) => {
      switch (str) {
        case "*":
          return `${nodot}${ONE_CHAR}${star}`;
        case ".*":
          return `${DOT_LITERAL}${ONE_CHAR}${star}`;
        case "*.*":
          return `${nodot}${star}${DOT_LITERAL}${ONE_CHAR}${star}`;
        case "*/*":
          return `${nodot}${star}${SLASH_LITERAL}${ONE_CHAR}${slashDot}${star}`;
        case "**":
          return nodot + globstar(opts);
        case "**/*":
          return `(?:${nodot}${globstar(opts)}${SLASH_LITERAL})?${slashDot}${ONE_CHAR}${star}`;
        case "**/*.*":
          return `(?:${nodot}${globstar(opts)}${SLASH_LITERAL})?${slashDot}${star}${DOT_LITERAL}${ONE_CHAR}${star}`;
        case "**/.*":
          return `(?:${nodot}${globstar(opts)}${SLASH_LITERAL})?${DOT_LITERAL}${ONE_CHAR}${star}`;
        default: {
          const match = /^(.*?)\.(\w+)$/.exec(str);
          if (!match)
            return;
          const source = create(match[1]);
          if (!source)
            return;
          return source + DOT_LITERAL + match[2];
        }
      }
    };
    const output = utils.removePrefix(input, state);
    let source = create(output);
    if (source && opts.strictSlashes !== true) {
      source += `${SLASH_LITERAL}?`;
    }
    return source;
  };
  module.exports = parse;
});

// node_modules/picomatch/lib/picomatch.js
var require_picomatch = __commonJS(function(exports, module) {
  var scan = require_scan();
  var parse = require_parse();
  var utils = require_utils();
  var constants = require_constants();
  var isObject = (val) => val && typeof val === "object" && !Array.isArray(val);
  var picomatch = (glob, options, returnState = false) => {
    if (Array.isArray(glob)) {
      const fns = glob.map((input) => picomatch(input, options, returnState));
      const arrayMatcher = (str) => {
        for (const isMatch of fns) {
          const state = isMatch(str);
          if (state)
            return state;
        }
        return false;
      };
      return arrayMatcher;
    }
    const isState = isObject(glob) && glob.tokens && glob.input;
    if (glob === "" || typeof glob !== "string" && !isState) {
      throw new TypeError("Expected pattern to be a non-empty string");
    }
    const opts = options || {};
    const posix = opts.windows;
    const regex = isState ? picomatch.compileRe(glob, options) : picomatch.makeRe(glob, options, false, true);
    const state = regex.state;
    delete regex.state;
    let isIgnored = () => false;
    if (opts.ignore) {
      const ignoreOpts = { ...options, ignore: null, onMatch: null, onResult: null };
      isIgnored = picomatch(opts.ignore, ignoreOpts, returnState);
    }
    const matcher = (input, returnObject = false) => {
      const { isMatch, match, output } = picomatch.test(input, regex, options, { glob, posix });
      const result = { glob, state, regex, posix, input, output, match, isMatch };
      if (typeof opts.onResult === "function") {
        opts.onResult(result);
      }
      if (isMatch === false) {
        result.isMatch = false;
        return returnObject ? result : false;
      }
      if (isIgnored(input)) {
        if (typeof opts.onIgnore === "function") {
          opts.onIgnore(result);
        }
        result.isMatch = false;
        return returnObject ? result : false;
      }
      if (typeof opts.onMatch === "function") {
        opts.onMatch(result);
      }
      return returnObject ? result : true;
    };
    if (returnState) {
      matcher.state = state;
    }
    return matcher;
  };
  picomatch.test = (input, regex, options, { glob, posix } = {}) => {
    if (typeof input !== "string") {
      throw new TypeError("Expected input to be a string");
    }
    if (input === "") {
      return { isMatch: false, output: "" };
    }
    const opts = options || {};
    const format = opts.format || (posix ? utils.toPosixSlashes : null);
    let match = input === glob;
    let output = match && format ? format(input) : input;
    if (match === false) {
      output = format ? format(input) : input;
      match = output === glob;
    }
    if (match === false || opts.capture === true) {
      if (opts.matchBase === true || opts.basename === true) {
        match = picomatch.matchBase(input, regex, options, posix);
      } else {
        match = regex.exec(output);
      }
    }
    return { isMatch: Boolean(match), match, output };
  };
  picomatch.matchBase = (input, glob, options, posix = options && options.windows) => {
    const regex = glob instanceof RegExp ? glob : picomatch.makeRe(glob, options);
    return regex.test(utils.basename(input, { windows: posix }));
  };
  picomatch.isMatch = (str, patterns, options) => picomatch(patterns, options)(str);
  picomatch.parse = (pattern, options) => {
    if (Array.isArray(pattern))
      return pattern.map((p) => picomatch.parse(p, options));
    return parse(pattern, { ...options, fastpaths: false });
  };
  picomatch.scan = (input, options) => scan(input, options);
  picomatch.compileRe = (state, options, returnOutput = false, returnState = false) => {
    if (returnOutput === true) {
      return state.output;
    }
    const opts = options || {};
    const prepend = opts.contains ? "" : "^";
    const append = opts.contains ? "" : "$";
    let source = `${prepend}(?:${state.output})${append}`;
    if (state && state.negated === true) {
      source = `^(?!${source}).*$`;
    }
    const regex = picomatch.toRegex(source, options);
    if (returnState === true) {
      regex.state = state;
    }
    return regex;
  };
  picomatch.makeRe = (input, options = {}, returnOutput = false, returnState = false) => {
    if (!input || typeof input !== "string") {
      throw new TypeError("Expected a non-empty string");
    }
    let parsed = { negated: false, fastpaths: true };
    if (options.fastpaths !== false && (input[0] === "." || input[0] === "*")) {
      parsed.output = parse.fastpaths(input, options);
    }
    if (!parsed.output) {
      parsed = parse(input, options);
    }
    return picomatch.compileRe(parsed, options, returnOutput, returnState);
  };
  picomatch.toRegex = (source, options) => {
    try {
      const opts = options || {};
      return new RegExp(source, opts.flags || (opts.nocase ? "i" : ""));
    } catch (err) {
      if (options && options.debug === true)
        throw err;
      return /$^/;
    }
  };
  picomatch.constants = constants;
  module.exports = picomatch;
});

// node_modules/picomatch/index.js
var require_picomatch2 = __commonJS(function(exports, module) {
  var pico = require_picomatch();
  var utils = require_utils();
  function picomatch(glob, options, returnState = false) {
    if (options && (options.windows === null || options.windows === undefined)) {
      options = { ...options, windows: utils.isWindows() };
    }
    return pico(glob, options, returnState);
  }
  Object.assign(picomatch, pico);
  module.exports = picomatch;
});

// src/cli/node-runtime.ts
var import_picomatch = __toESM(require_picomatch2(), 1);
import { lookup } from "node:dns/promises";
/*!
 * Includes picomatch (Copyright (c) 2017-present, Jon Schlinkert) under the MIT license, whose text is in the file LICENSE.
 */
function translated(pattern) {
  const grouped = /[@+?*!]\(/.test(pattern) ? pattern : pattern.replace(/[()|]/g, "\\$&");
  return withNamedParents(grouped.replaceAll("[!", "[^").replace(/\/\*\*$/, "/**/*"));
}
var withNamedParents = (path) => path.replace(/(?<=^|\/)\.\.(?=\/|$)/g, "");

class Glob {
  match;
  constructor(pattern) {
    const matches = import_picomatch.default(translated(pattern), { dot: true });
    this.match = (path) => matches(withNamedParents(path));
  }
}
var dns = { lookup: (name) => lookup(name, { all: true }) };
var nodeRuntime = { Glob, dns };
RegExp.escape ??= (text) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
if (!process.versions.bun)
  Object.assign(globalThis, { Bun: nodeRuntime });

// src/cli/commands.ts
import { parseArgs } from "node:util";

// src/lib/package.ts
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
var NAME = "opencode-own-share";
var OLD_NAME = "opencode-better-share";
function packageOrigin() {
  try {
    return JSON.parse(readFileSync(new URL("server.json", import.meta.url), "utf8"));
  } catch {
    return;
  }
}
var packageFile = (path) => fileURLToPath(new URL(`${import.meta.url.endsWith(".ts") ? "../../" : "../"}${path}`, import.meta.url));
function commandLine() {
  const origin = packageOrigin();
  return origin ? `npx ${origin.url}/plugin.tgz` : `node ${packageFile("dist/cli.js")}`;
}
var pluginFiles = () => ["src/index.ts", "src/tui.ts", "dist/index.js", "dist/tui.js"].map(packageFile);

// src/lib/visible.ts
var INVISIBLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}]/gu;
var NAMES = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
var visible = (text) => text.replace(INVISIBLE, escaped);
var excerpt = (text, length) => {
  const characters = visible(text.slice(0, length + 1));
  return characters.length > length ? `${characters.slice(0, length)}…` : characters;
};
function escaped(character) {
  const code = character.charCodeAt(0).toString(16);
  return NAMES[character] ?? (code.length <= 2 ? `\\x${code.padStart(2, "0")}` : `\\u${code.padStart(4, "0")}`);
}

// src/server/errors.ts
var TEMPORARY = new Set([
  "unreachable",
  "broken",
  "busy",
  "link",
  "misdirected",
  "conflict",
  "unreadable"
]);

class Failure extends Error {
  kind;
  retryAfter;
  name = "Failure";
  constructor(kind, message, retryAfter) {
    super(visible(message));
    this.kind = kind;
    this.retryAfter = retryAfter;
  }
  get temporary() {
    return TEMPORARY.has(this.kind);
  }
}
function asFailure(error) {
  if (error instanceof Failure)
    return error;
  return new Failure("unreadable", `Better Share failed unexpectedly (${error instanceof Error ? error.message : String(error)}).`);
}

// src/opencode/client.ts
var isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
// ../app/redaction/rules.json
var rules_default = {
  sources: {
    age: "https://manpages.debian.org/unstable/age/age-keygen.1.en.html",
    akamai: "https://techdocs.akamai.com/developer/docs/edgegrid",
    anthropic: "https://docs.anthropic.com/en/api/overview",
    atlassian: "https://confluence.atlassian.com/enterprise/using-personal-access-tokens-1026032365.html",
    aws: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html",
    "better-share": "app/services/members/tokens.py",
    betterleaks: "https://github.com/betterleaks/betterleaks/blob/main/config/betterleaks.toml",
    braintree: "https://developer.paypal.com/braintree/docs/guides/authorization/overview",
    buildkite: "https://buildkite.com/docs/platform/security/tokens",
    close: "https://developer.close.com/topics/authentication/",
    cloudflare: "https://developers.cloudflare.com/fundamentals/api/get-started/token-formats",
    composer: "https://getcomposer.org/doc/articles/authentication-for-private-packages.md",
    curl: "https://curl.se/docs/manpage.html",
    "detect-secrets": "https://github.com/Yelp/detect-secrets/tree/master/detect_secrets/plugins",
    discord: "https://discord.com/developers/docs/reference",
    doppler: "https://docs.doppler.com/reference/auth-token-formats",
    dynatrace: "https://docs.dynatrace.com/managed/dynatrace-api/basics/dynatrace-api-authentication",
    facebook: "https://developers.facebook.com/docs/facebook-login/guides/access-tokens/",
    github: "https://docs.github.com/en/code-security/reference/secret-security/supported-secret-scanning-patterns",
    "github-digits": "https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/",
    "github-formats": "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github",
    gitlab: "https://docs.gitlab.com/security/tokens/",
    gitleaks: "https://github.com/gitleaks/gitleaks/blob/master/config/gitleaks.toml",
    google: "https://cloud.google.com/docs/authentication/api-keys",
    grafana: "https://grafana.com/docs/grafana/latest/administration/service-accounts/",
    jenkins: "https://www.jenkins.io/doc/book/installing/",
    mailchimp: "https://mailchimp.com/developer/marketing/guides/quick-start/",
    mailgun: "https://documentation.mailgun.com/docs/mailgun/user-manual/get-started/",
    manuals: "the manuals of the commands",
    mapbox: "https://docs.mapbox.com/help/dive-deeper/access-tokens",
    microsoft: "https://learn.microsoft.com/en-us/purview/sit-defn-all-creds",
    mysql: "https://dev.mysql.com/doc/refman/8.4/en/",
    nats: "https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/nkey_auth",
    netrc: "https://www.gnu.org/software/inetutils/manual/html_node/The-_002enetrc-file.html",
    "new-relic": "https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/",
    npm: "https://github.blog/changelog/2021-09-23-npm-has-a-new-access-token-format/",
    okta: "https://developer.okta.com/docs/guides/create-an-api-token/main/",
    openai: "https://platform.openai.com/docs/api-reference/authentication",
    oracle: "https://docs.oracle.com/en/database/oracle/oracle-database/",
    plaid: "https://plaid.com/docs/quickstart/glossary/",
    postgresql: "https://www.postgresql.org/docs/current/",
    pypi: "https://pypi.org/help/#apitoken",
    requests: "https://requests.readthedocs.io/en/latest/user/authentication/",
    resend: "https://www.resend.com/docs/api-reference/introduction",
    rfc3986: "https://www.rfc-editor.org/rfc/rfc3986",
    rfc6265: "https://www.rfc-editor.org/rfc/rfc6265",
    rfc6750: "https://www.rfc-editor.org/rfc/rfc6750",
    rfc7468: "https://www.rfc-editor.org/rfc/rfc7468",
    rfc7517: "https://www.rfc-editor.org/rfc/rfc7517",
    rfc7519: "https://www.rfc-editor.org/rfc/rfc7519",
    rfc9110: "https://www.rfc-editor.org/rfc/rfc9110",
    sendgrid: "https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/authentication",
    sentry: "https://docs.sentry.io/security-legal-pii/security/token-formats/",
    shopify: "https://shopify.dev/docs/apps/build/authentication-authorization",
    slack: "https://docs.slack.dev/authentication/tokens/",
    sonarqube: "https://docs.sonarsource.com/sonarqube-server/user-guide/managing-tokens/",
    stripe: "https://docs.stripe.com/keys",
    "stripe-intents": "https://docs.stripe.com/api/payment_intents/object",
    supabase: "https://www.supabase.com/docs/guides/getting-started/api-keys",
    tailscale: "https://tailscale.com/kb/1277/key-prefixes",
    telegram: "https://core.telegram.org/bots/api#authorizing-your-bot",
    trufflehog: "https://github.com/trufflesecurity/trufflehog/tree/main/pkg/detectors",
    vault: "https://developer.hashicorp.com/vault/docs/concepts/tokens",
    wget: "https://www.gnu.org/software/wget/manual/wget.html",
    writing: "how people write",
    x: "https://docs.x.com/fundamentals/authentication/oauth-2-0/bearer-tokens",
    zapier: "https://help.zapier.com/hc/en-us/articles/8496288690317",
    zoho: "https://www.zoho.com/accounts/protocol/oauth/web-apps/access-token.html"
  },
  parts: {
    start: "(?:(?<![A-Za-z0-9_-])|(?<=\\\\[nrt])|(?<=%[0-9A-Fa-f][0-9A-Fa-f])|(?<=\\\\u00[0-9A-Fa-f][0-9A-Fa-f]))",
    bare: "(?<![A-Za-z0-9+/_-])",
    uuid: "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-f])",
    encoded: "(?:BQUklWQVRF|BSU0EgUFJJVkFURS|BFQyBQUklWQVRF|BPUEVOU1NIIFBSSVZBVEUg|BFTkNSWVBURUQgUFJJVkFURS)",
    quote: "\\\\{0,3}[\"'`]",
    typed: "(?:[?!]?:[ \\t]{0,4}[&*?]?(?:'[a-z]{1,12}[ \\t])?[A-Za-z_][A-Za-z0-9_.]{0,30}(?![A-Za-z0-9_.])(?:[<\\[][A-Za-z0-9_.,| \\t]{0,30}[>\\]])?(?:[ \\t]{0,2}\\|[ \\t]{0,2}[A-Za-z]{1,12}){0,3}\\??|string)[ \\t]{0,4}=(?=[ \\t]{0,8}(?:\\r?\\n[ \\t]{0,40})?<quote>)",
    default: "\\)?[ \\t]{0,4}(?:(?:\\|\\||\\?\\?)=?(?=[ \\t]{0,8}<quote>)|or(?=[ \\t]{1,8}<quote>))",
    returned: "\\([^()\\n]{0,40}\\)[^\"'`\\n]{0,40}return(?=[ \\t]{1,4}<quote>)",
    worth: `(?![:=])\\]?\\\\{0,3}["']?,?(?:[ \\t\\n\\r]|\\\\n){0,40}\\\\{0,3}["']?(?:value|text|Value)`,
    nested: `\\\\{0,3}["']?[ \\t]{0,4}[:=][ \\t]{0,4}\\{[^{}]{0,200}?\\\\{0,3}["']value`,
    assign: "(?![A-Za-z0-9_])\\??\\\\{0,3}[\"'`]?(?:\\]|\\[[0-9]{0,4}\\](?=[ \\t]{0,8}=))?\\*{0,2}[ \\t]{0,8}(?![ \\t\"'`\\\\])(?:=>|->|→|-(?=[ \\t]{1,4}<quote>)|:=|={2,3}(?=[ \\t]{0,4}<quote>)|[+.?]?=(?!=)|<typed>|<default>|<returned>|:\\*{1,2}(?=[ \\t])|:(?!:)|>(?!=)(?:\\r?\\n[ \\t]{1,40}|\\{(?:[A-Za-z]{1,20}[ ]){0,2})?|,[ \\t]{0,4}(?=<quote>))[ \\t]{0,10}(?![ \\t])(?:[|>][+-]?[ \\t]{0,4}\\r?\\n[ \\t]{1,40}(?![ \\t])|\\r?\\n[ \\t]{0,40}(?=[\"'`]))?",
    entity: "(?:quot|apos|lt|gt|nbsp|#x?[0-9A-Fa-f]{2,6});",
    inner: "[^ \\t\\n\\r\"'`<>&;,(){}\\[\\]\\\\]",
    outer: "[^ \\t\\n\\r\"'`<>&;,(){}\\[\\]\\\\.:?|]",
    run: "<inner>{7,511}<outer>",
    literal: "(?=[^\"'` \\t\\n\\r]{8})[^\"'` \\t\\n\\r\\\\]{0,128}(?:\\\\(?:\\\\?u00[0-9A-Fa-f][0-9A-Fa-f]|/)[^\"'` \\t\\n\\r\\\\]{0,64}){0,16}(?=\\\\{0,3}[\"'`])",
    joint: "[&;,](?![&;, \\t]|[A-Za-z_.$ ]{1,40}[=:]|<entity>)",
    line: "(?=[^ \\t\\n\\r\"'`]{8})(?!&)(?!<inner>{513})(?:<inner>{0,512}(?!<inner>)<joint>(?:<inner>{0,65}(?!<inner>)<joint>){0,15})?<inner>{0,511}<outer>(?!<inner>)(?=[ \\t]{0,8}(?:[\\n\\r]|\\\\{1,3}[nr]|$)|[ \\t]{1,8}#)",
    opened: "(?:(?:\\\\{1,3}[\"'`]?|[\"'`])[ \\t]{0,2})?",
    entered: "<assign>(?:\\\\{0,3}[\"'`](<literal>)|<opened>(?:(<line>)|(<run>)))",
    assigned: "<assign>(?:\\\\{0,3}[\"'`](<literal>)|<opened>(<run>))",
    argument: "\\\\{0,2}(?:[\"'`](<literal>)|[\"'`]?((?=[^ \\t\\n\\r\"'`]{8})<inner>{0,511}(?:,(?![ \\t\\n\\r]|[A-Za-z_ -]{0,40}=)<inner>{0,64}){0,16}<outer>))",
    shell: "((?=[^ \\t\\n\\r\"'`]{8})[^ \\t\\n\\r\"'`\\\\,;&]{0,511}(?:[,;&](?![& \\t\\n\\r]|[A-Za-z_ ]{1,40}=)[^ \\t\\n\\r\"'`\\\\,;&]{0,64}){0,16}[^ \\t\\n\\r\"'`\\\\,;&<>(){}\\[\\].:?|])",
    spoken: "[A-Za-z0-9_+/=.~$:!#%*-]",
    unassigned: "(?![\"'`(*]{0,3}[a-z][a-z0-9_]{0,60}=[a-z0-9_/~$]|[a-z][a-z0-9_]{0,60}=[\"'`])",
    last: "[A-Za-z0-9_+/=~$!#%*-]",
    address: "(?![a-z0-9._+/-]{1,64}@(?:localhost|[0-9v^~]{1,4}\\.[0-9]|(?:[a-z0-9-]{1,63}\\.){1,4}[a-z]{2,24}(?![a-z0-9])))",
    sign: "(?:[@^]|[&?,;](?![&?,;.]|[A-Za-z_.$]{1,40}[=:]|<entity>))",
    chosen: "<address>(<spoken>{0,127}(?:<sign><spoken>{0,64}){0,16}(?:<last>|[@&^]))",
    edge: "(?<![A-Za-z0-9_-])",
    near: "(?:\\\\{0,3}[\"'`]?[\\])]?[ \\t]{0,8}(?::=|=>|={1,3}|:|\\|{1,2}|,|>)[ \\t]{0,8}(?:bearer[ ])?[({]?\\\\{0,3}[\"'`]?|[ \\t]{0,3}[({]?\\\\{0,3}[\"'`]|[ \\t]{1,2}(?![0-9a-f]{12,200}(?![A-Za-z0-9])))",
    followed: "(?:,(?:[ \\t\\n\\r\\\\\"'`]|value|text|Value|<inner>{12})|\\((?:[^()\\n]{0,40}\\)|<quote>[^\"'` \\t\\n\\r]{12})|(?:\\[[0-9]{0,4}\\][ \\t]{0,8})?={1,3}>?[ \\t]{0,10}(?:[\"'`\\\\\\n\\r|]|[^ \\t\\n\\r\"'`<>(){}\\[\\]\\\\&][^ \\t\\n\\r\"'`<>(){}\\[\\]\\\\]{7})|[?!\\\\\"'`\\]*:+>→\\n\\r|-]|[ \\t]{1,40}(?:[?!\\\\\"'`\\[\\]*:+=>→\\n\\r,|(-]|\\)[ \\t]{0,4}[|?o]|or[ \\t]|string|\\.=)|[ \\t]{2,40}(?:value|text|Value|[^ \\t\\n\\r\"'`]{12})|\\.=|\\)[ \\t]{0,4}(?:\\||\\?|or))"
  },
  formats: [
    {
      name: "1Password service account token",
      kind: "1password-token",
      source: "gitleaks",
      prefix: ["ops_eyJ"],
      alphabet: "A-Za-z0-9+/=",
      length: [100, null],
      examples: ["ops_eyJ[A-Za-z0-9+/]{100}"],
      counterexamples: ["ops_eyJ[A-Za-z0-9+/=]{9}"]
    },
    {
      name: "Adafruit IO key",
      kind: "adafruit-key",
      source: "github",
      prefix: ["aio_"],
      alphabet: "A-Za-z0-9",
      length: 28,
      examples: ["aio_[A-Za-z0-9]{28}"],
      counterexamples: ["aio_[A-Za-z0-9]{9}"]
    },
    {
      name: "Adobe client secret",
      kind: "adobe-secret",
      source: "gitleaks",
      prefix: ["p8e-"],
      alphabet: "A-Za-z0-9_-",
      length: 32,
      examples: ["p8e-[A-Za-z0-9]{32}"],
      counterexamples: ["p8e-[A-Za-z0-9_-]{10}"]
    },
    {
      name: "Age secret key",
      kind: "age-key",
      source: "age",
      prefix: ["AGE-SECRET-KEY-1", "AGE-SECRET-KEY-PQ-1"],
      alphabet: "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
      length: 58,
      examples: ["AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}"],
      counterexamples: ["AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{19}"]
    },
    {
      name: "Aikido token",
      kind: "aikido-token",
      source: "betterleaks",
      prefix: ["AIK_CI_", "AIK_SECRET_"],
      alphabet: "A-Za-z0-9",
      length: [20, 64],
      examples: ["AIK_CI_[A-Za-z0-9]{64}", "AIK_SECRET_[A-Za-z0-9]{64}"],
      counterexamples: ["AIK_CI_[A-Za-z0-9]{9}"]
    },
    {
      name: "Aiven token",
      kind: "aiven-token",
      source: "github",
      prefix: ["AVNS_"],
      alphabet: "A-Za-z0-9_-",
      length: [18, null],
      examples: ["AVNS_[A-Za-z0-9]{18}"],
      counterexamples: ["AVNS_[A-Za-z0-9_-]{6}"]
    },
    {
      name: "Alchemy API key",
      kind: "alchemy-key",
      source: "trufflehog",
      prefix: ["alcht_"],
      alphabet: "A-Za-z0-9",
      length: 30,
      examples: ["alcht_[A-Za-z0-9]{30}"],
      counterexamples: ["alcht_[A-Za-z0-9]{10}"]
    },
    {
      name: "Alibaba access key ID",
      kind: "alibaba-access-key",
      source: "gitleaks",
      prefix: ["LTAI"],
      alphabet: "A-Za-z0-9",
      length: [12, 24],
      examples: ["LTAI[A-Za-z0-9]{12}"],
      counterexamples: ["LTAI[A-Za-z0-9]{4}"]
    },
    {
      name: "Alibaba security token ID",
      kind: "alibaba-access-key",
      source: "betterleaks",
      prefix: ["STS."],
      alphabet: "A-Za-z0-9",
      length: [16, 64],
      check: "random",
      examples: ["STS.[A-Za-z0-9]{64}"],
      counterexamples: ["STS.[A-Za-z0-9]{9}"]
    },
    {
      name: "Anthropic API key",
      kind: "anthropic-key",
      source: "anthropic",
      prefix: ["sk-ant-api03-", "sk-ant-admin01-", "sk-ant-oat01-", "sk-ant-ort01-", "sk-ant-sid01-", "sk-ant-"],
      alphabet: "A-Za-z0-9_-",
      length: [20, null],
      anywhere: true,
      examples: ["sk-ant-api03-[A-Za-z0-9]{20}", "sk-ant-admin01-[A-Za-z0-9]{20}"],
      counterexamples: ["sk-ant-api03-[A-Za-z0-9_-]{6}"]
    },
    {
      name: "Anyscale key",
      kind: "anyscale-key",
      source: "trufflehog",
      prefix: ["esecret_", "aph0_"],
      alphabet: "a-z0-9",
      length: [25, null],
      check: "random",
      examples: ["esecret_[a-z0-9]{25}", "aph0_[a-z0-9]{25}"],
      counterexamples: ["esecret_[a-z0-9]{8}"]
    },
    {
      name: "Apify token",
      kind: "apify-token",
      source: "trufflehog",
      prefix: ["apify_api_"],
      alphabet: "A-Za-z0-9-",
      length: [36, null],
      examples: ["apify_api_[A-Za-z0-9]{36}"],
      counterexamples: ["apify_api_[A-Za-z0-9]{9}"]
    },
    {
      name: "Artifactory API key",
      kind: "artifactory-key",
      source: "gitleaks",
      prefix: ["AKCp"],
      alphabet: "A-Za-z0-9",
      length: [68, 70],
      examples: ["AKCp[A-Za-z0-9]{70}"],
      counterexamples: ["AKCp[A-Za-z0-9]{9}"]
    },
    {
      name: "Artifactory reference token",
      kind: "artifactory-token",
      source: "gitleaks",
      prefix: ["cmVmd"],
      alphabet: "A-Za-z0-9",
      length: 59,
      examples: ["cmVmd[A-Za-z0-9]{59}"],
      counterexamples: ["cmVmd[A-Za-z0-9]{19}"]
    },
    {
      name: "Asaas key",
      kind: "asaas-key",
      source: "betterleaks",
      prefix: ["$aact_prod_", "$aact_hmlg_"],
      alphabet: "A-Za-z0-9_-",
      length: [20, null],
      check: "token",
      examples: ["$aact_prod_[A-Za-z0-9]{24}", "$aact_hmlg_[A-Za-z0-9]{24}"],
      counterexamples: ["$aact_prod_[A-Za-z0-9]{8}"]
    },
    {
      name: "Atlassian access token",
      kind: "atlassian-token",
      source: "trufflehog",
      prefix: ["ATCTT3"],
      alphabet: "A-Za-z0-9+/=_-",
      length: [24, null],
      anywhere: true,
      examples: ["ATCTT3[A-Za-z0-9]{24}"],
      counterexamples: ["ATCTT3[A-Za-z0-9]{8}"]
    },
    {
      name: "Atlassian API token",
      kind: "atlassian-token",
      source: "gitleaks",
      prefix: ["ATATT"],
      alphabet: "A-Za-z0-9+/=_-",
      length: [30, null],
      anywhere: true,
      examples: ["ATATT[A-Za-z0-9]{40}"],
      counterexamples: ["ATATT[A-Za-z0-9]{9}"]
    },
    {
      name: "Authress token",
      kind: "authress-token",
      source: "betterleaks",
      prefix: ["sc_", "ext_", "scauth_", "authress_"],
      alphabet: "a-z0-9",
      length: [5, 30],
      tail: "\\.[a-z0-9]{4,6}\\.acc[_-][a-z0-9-]{10,32}\\.[a-z0-9+/_=-]{30,120}",
      inside: true,
      check: "format",
      examples: ["sc_[a-z0-9]{12}.[a-z0-9]{5}.acc-[a-z0-9]{16}.[a-z0-9]{40}"],
      counterexamples: ["sc_[a-z0-9]{12}.acc-[a-z0-9]{16}"]
    },
    {
      name: "AWS AppSync key",
      kind: "aws-appsync-key",
      source: "trufflehog",
      prefix: ["da2-"],
      alphabet: "a-z0-9",
      length: 26,
      examples: ["da2-[a-z0-9]{26}"],
      counterexamples: ["da2-[a-z0-9]{8}"]
    },
    {
      name: "AWS Bedrock API key",
      kind: "aws-bedrock-key",
      source: "gitleaks",
      prefix: ["ABSK"],
      alphabet: "A-Za-z0-9+/=",
      length: [109, null],
      examples: ["ABSK[A-Za-z0-9+/]{109}"],
      counterexamples: ["ABSK[A-Za-z0-9+/=]{36}"]
    },
    {
      name: "AWS Bedrock short-term API key",
      kind: "aws-bedrock-key",
      source: "gitleaks",
      prefix: ["bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t"],
      alphabet: "A-Za-z0-9+/=",
      length: [0, null],
      anywhere: true,
      examples: ["bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t[A-Za-z0-9+/]{60}"],
      counterexamples: ["bedrock-api-key-id"]
    },
    {
      name: "Baidu Cloud key",
      kind: "baidu-key",
      source: "github",
      prefix: ["bce-v3/ALTAK-"],
      alphabet: "A-Za-z0-9/-",
      length: [40, null],
      examples: ["bce-v3/ALTAK-[A-Za-z0-9/]{40}"],
      counterexamples: ["bce-v3/ALTAK-[A-Za-z0-9/-]{13}"]
    },
    {
      name: "Bannerbear key",
      kind: "bannerbear-key",
      source: "trufflehog",
      prefix: ["bb_pr_", "bb_ma_"],
      alphabet: "0-9a-f",
      length: 30,
      examples: ["bb_pr_[0-9a-f]{30}", "bb_ma_[0-9a-f]{30}"],
      counterexamples: ["bb_pr_[0-9a-f]{10}"]
    },
    {
      name: "Beamer token",
      kind: "beamer-token",
      source: "gitleaks",
      prefix: ["b_"],
      alphabet: "a-z0-9_-",
      length: 44,
      check: "token",
      examples: ["b_[a-z0-9]{44}"],
      counterexamples: ["b_[a-z0-9_-]{14}"]
    },
    {
      name: "BestTime key",
      kind: "besttime-key",
      source: "trufflehog",
      prefix: ["pri_", "pub_"],
      alphabet: "0-9a-f",
      length: 32,
      examples: ["pri_[0-9a-f]{32}", "pub_[0-9a-f]{32}"],
      counterexamples: ["pri_[0-9a-f]{9}"]
    },
    {
      name: "Better Share token",
      kind: "better-share-token",
      source: "better-share",
      prefix: ["bs_"],
      alphabet: "A-Za-z0-9",
      length: 40,
      examples: ["bs_[A-Za-z0-9]{40}"],
      counterexamples: ["bs_[A-Za-z0-9]{20}"]
    },
    {
      name: "Bitbucket app password",
      kind: "bitbucket-password",
      source: "trufflehog",
      prefix: ["ATBB"],
      alphabet: "A-Za-z0-9",
      length: [28, 36],
      examples: ["ATBB[A-Za-z0-9]{28}"],
      counterexamples: ["ATBB[A-Za-z0-9]{9}"]
    },
    {
      name: "Bitbucket data center token",
      kind: "bitbucket-token",
      source: "trufflehog",
      prefix: ["BBDC-"],
      alphabet: "A-Za-z0-9+/@_-",
      length: [40, 50],
      examples: ["BBDC-[A-Za-z0-9+/@]{50}"],
      counterexamples: ["BBDC-[A-Za-z0-9+/@]{9}"]
    },
    {
      name: "Brave Search key",
      kind: "brave-key",
      source: "trufflehog",
      prefix: ["BSA"],
      alphabet: "A-Za-z0-9_-",
      length: [24, 40],
      check: "mixed",
      examples: ["BSA[A-Za-z0-9]{40}"],
      counterexamples: ["BSA[A-Za-z0-9]{9}"]
    },
    {
      name: "Brevo API key",
      kind: "brevo-key",
      source: "trufflehog",
      prefix: ["xkeysib-", "xsmtpsib-"],
      alphabet: "A-Za-z0-9_-",
      length: [64, null],
      examples: ["xkeysib-[A-Za-z0-9]{64}", "xsmtpsib-[A-Za-z0-9]{64}"],
      counterexamples: ["xkeysib-[A-Za-z0-9-]{21}"]
    },
    {
      name: "Buildkite token",
      kind: "buildkite-token",
      source: "buildkite",
      prefix: ["bkua_", "bkaa_", "bkaj_", "bkar_", "bkct_", "bkpt_", "bkpat_", "bkps_"],
      alphabet: "A-Za-z0-9_-",
      length: [40, null],
      check: "token",
      examples: ["bkua_[A-Za-z0-9]{40}", "bkaa_[A-Za-z0-9]{40}"],
      counterexamples: ["bkua_[A-Za-z0-9]{9}"]
    },
    {
      name: "Canva token",
      kind: "canva-token",
      source: "betterleaks",
      prefix: ["cnvca"],
      alphabet: "A-Za-z0-9_-",
      length: [51, null],
      check: "token",
      examples: ["cnvca[A-Za-z0-9]{51}"],
      counterexamples: ["cnvca[A-Za-z0-9]{9}"]
    },
    {
      name: "Cerebras key",
      kind: "cerebras-key",
      source: "betterleaks",
      prefix: ["csk-"],
      alphabet: "a-z0-9",
      length: [48, null],
      examples: ["csk-[a-z0-9]{48}"],
      counterexamples: ["csk-[a-z0-9]{9}"]
    },
    {
      name: "CheckiO key",
      kind: "checkio-key",
      source: "trufflehog",
      prefix: ["pk_"],
      alphabet: "a-z0-9",
      length: 45,
      check: "random",
      examples: ["pk_[a-z0-9]{45}"],
      counterexamples: ["pk_[a-z0-9]{12}"]
    },
    {
      name: "Checkout.com key",
      kind: "checkout-key",
      source: "github",
      prefix: ["sk_sbox_"],
      alphabet: "a-z0-9",
      length: [20, null],
      examples: ["sk_sbox_[a-z0-9]{20}"],
      counterexamples: ["sk_sbox_[a-z0-9]{6}"]
    },
    {
      name: "CircleCI token",
      kind: "circleci-token",
      source: "trufflehog",
      prefix: ["CCIPAT_"],
      alphabet: "A-Za-z0-9_",
      length: [40, null],
      examples: ["CCIPAT_[A-Za-z0-9]{40}"],
      counterexamples: ["CCIPAT_[A-Za-z0-9]{9}"]
    },
    {
      name: "ClickHouse Cloud secret",
      kind: "clickhouse-secret",
      source: "gitleaks",
      prefix: ["4b1d"],
      alphabet: "A-Za-z0-9",
      length: 38,
      examples: ["4b1d[A-Za-z0-9]{38}"],
      counterexamples: ["4b1d[A-Za-z0-9]{12}"]
    },
    {
      name: "Clojars token",
      kind: "clojars-token",
      source: "gitleaks",
      prefix: ["CLOJARS_"],
      alphabet: "a-z0-9",
      length: 60,
      anywhere: true,
      examples: ["CLOJARS_[a-z0-9]{60}"],
      counterexamples: ["CLOJARS_[a-z0-9]{9}"]
    },
    {
      name: "CloudBees CodeShip token",
      kind: "cloudbees-token",
      source: "github",
      prefix: ["CJP-"],
      alphabet: "a-z0-9",
      length: [40, null],
      check: "random",
      examples: ["CJP-[a-z0-9]{40}"],
      counterexamples: ["CJP-[a-z0-9]{13}"]
    },
    {
      name: "Cloudflare token",
      kind: "cloudflare-token",
      source: "cloudflare",
      prefix: ["cfut_", "cfat_", "cfk_"],
      alphabet: "A-Za-z0-9",
      length: [40, null],
      examples: ["cfut_[A-Za-z0-9]{40}", "cfat_[A-Za-z0-9]{40}"],
      counterexamples: ["cfut_[A-Za-z0-9]{13}"]
    },
    {
      name: "Cloudsmith key",
      kind: "cloudsmith-key",
      source: "betterleaks",
      prefix: ["csa_"],
      alphabet: "A-Za-z0-9",
      length: 36,
      check: "random",
      examples: ["csa_[A-Za-z0-9]{36}"],
      counterexamples: ["csa_[A-Za-z0-9]{9}"]
    },
    {
      name: "CockroachDB key",
      kind: "cockroachdb-key",
      source: "betterleaks",
      prefix: ["CCDB1_"],
      alphabet: "A-Za-z0-9_",
      length: [60, null],
      examples: ["CCDB1_[A-Za-z0-9]{60}"],
      counterexamples: ["CCDB1_[A-Za-z0-9]{9}"]
    },
    {
      name: "ConfigCat SDK key",
      kind: "configcat-key",
      source: "betterleaks",
      prefix: ["configcat-sdk-1/"],
      alphabet: "A-Za-z0-9_/-",
      length: [45, null],
      examples: ["configcat-sdk-1/[A-Za-z0-9]{45}"],
      counterexamples: ["configcat-sdk-1/[A-Za-z0-9]{9}"]
    },
    {
      name: "Contentful token",
      kind: "contentful-token",
      source: "gitleaks",
      prefix: ["CFPAT-"],
      alphabet: "A-Za-z0-9_-",
      length: 43,
      examples: ["CFPAT-[A-Za-z0-9]{43}"],
      counterexamples: ["CFPAT-[A-Za-z0-9_-]{14}"]
    },
    {
      name: "crates.io token",
      kind: "crates-io-token",
      source: "betterleaks",
      prefix: ["cio"],
      alphabet: "A-Za-z0-9",
      length: 32,
      check: "mixed",
      examples: ["cio[A-Za-z0-9]{32}"],
      counterexamples: ["cio[a-z]{32}"]
    },
    {
      name: "Cursor key",
      kind: "cursor-key",
      source: "betterleaks",
      prefix: ["key_"],
      alphabet: "0-9a-f",
      length: 64,
      examples: ["key_[0-9a-f]{64}"],
      counterexamples: ["key_[0-9a-f]{20}"]
    },
    {
      name: "Databricks token",
      kind: "databricks-token",
      source: "gitleaks",
      prefix: ["dapi", "dkea", "dose", "dosc"],
      alphabet: "0-9a-f",
      length: 32,
      tail: "(?:-[0-9])?",
      examples: ["dapi[0-9a-f]{32}", "dkea[0-9a-f]{32}"],
      counterexamples: ["dapi[0-9a-f]{10}"]
    },
    {
      name: "DataStax token",
      kind: "datastax-token",
      source: "betterleaks",
      prefix: ["AstraCS:"],
      alphabet: "A-Za-z0-9:",
      length: [20, null],
      examples: ["AstraCS:[A-Za-z0-9:]{24}"],
      counterexamples: ["AstraCS:[A-Za-z0-9:]{8}"]
    },
    {
      name: "Defined Networking token",
      kind: "dnkey",
      source: "gitleaks",
      prefix: ["dnkey-"],
      alphabet: "A-Za-z0-9=_-",
      length: [79, null],
      examples: ["dnkey-[A-Za-z0-9]{79}"],
      counterexamples: ["dnkey-[A-Za-z0-9=_-]{26}"]
    },
    {
      name: "Deno Deploy token",
      kind: "deno-token",
      source: "trufflehog",
      prefix: ["ddp_", "ddw_"],
      alphabet: "A-Za-z0-9",
      length: 36,
      examples: ["ddp_[A-Za-z0-9]{36}", "ddw_[A-Za-z0-9]{36}"],
      counterexamples: ["ddp_[A-Za-z0-9]{12}"]
    },
    {
      name: "DevCycle key",
      kind: "devcycle-key",
      source: "betterleaks",
      prefix: ["dvc_server_", "dvc_client_", "dvc_mobile_"],
      alphabet: "A-Za-z0-9_-",
      length: [8, null],
      examples: ["dvc_server_[A-Za-z0-9]{24}", "dvc_client_[A-Za-z0-9]{24}"],
      counterexamples: ["dvc_server_[A-Za-z0-9]{6}"]
    },
    {
      name: "Devin key",
      kind: "devin-key",
      source: "betterleaks",
      prefix: ["apk_user_", "apk_"],
      alphabet: "A-Za-z0-9+/=",
      length: [80, null],
      examples: ["apk_user_[A-Za-z0-9]{80}", "apk_[A-Za-z0-9]{80}"],
      counterexamples: ["apk_user_[A-Za-z0-9]{9}"]
    },
    {
      name: "Devin service user token",
      kind: "devin-key",
      source: "betterleaks",
      prefix: ["cog_"],
      alphabet: "a-z2-7",
      length: 52,
      examples: ["cog_[a-z2-7]{52}"],
      counterexamples: ["cog_[a-z2-7]{9}"]
    },
    {
      name: "dfuse key",
      kind: "dfuse-key",
      source: "trufflehog",
      prefix: ["web_", "server_"],
      alphabet: "0-9a-z",
      length: 32,
      check: "random",
      examples: ["web_[0-9a-z]{32}", "server_[0-9a-z]{32}"],
      counterexamples: ["web_[0-9a-z]{9}"]
    },
    {
      name: "DigitalOcean token",
      kind: "digitalocean-token",
      source: "gitleaks",
      prefix: ["dop_v1_", "doo_v1_", "dor_v1_"],
      alphabet: "0-9a-f",
      length: 64,
      anywhere: true,
      examples: ["dop_v1_[0-9a-f]{64}", "doo_v1_[0-9a-f]{64}"],
      counterexamples: ["dop_v1_[0-9a-f]{21}"]
    },
    {
      name: "Docker access token",
      kind: "docker-token",
      source: "github",
      prefix: ["dckr_pat_", "dckr_oat_"],
      alphabet: "A-Za-z0-9_-",
      length: [27, null],
      anywhere: true,
      examples: ["dckr_pat_[A-Za-z0-9]{27}", "dckr_oat_[A-Za-z0-9]{27}"],
      counterexamples: ["dckr_pat_[A-Za-z0-9_-]{9}"]
    },
    {
      name: "Docker Swarm join token",
      kind: "docker-swarm-token",
      source: "trufflehog",
      prefix: ["SWMTKN-1-"],
      alphabet: "a-z0-9-",
      length: [60, null],
      examples: ["SWMTKN-1-[a-z0-9]{60}"],
      counterexamples: ["SWMTKN-1-[a-z0-9-]{20}"]
    },
    {
      name: "Docker Swarm unlock key",
      kind: "docker-swarm-token",
      source: "betterleaks",
      prefix: ["SWMKEY-1-"],
      alphabet: "A-Za-z0-9+/",
      length: [40, 50],
      examples: ["SWMKEY-1-[A-Za-z0-9]{50}"],
      counterexamples: ["SWMKEY-1-[A-Za-z0-9]{9}"]
    },
    {
      name: "Doppler token",
      kind: "doppler-token",
      source: "doppler",
      prefix: ["dp.pt.", "dp.st.", "dp.ct.", "dp.sa.", "dp.scim.", "dp.audit."],
      alphabet: "A-Za-z0-9._-",
      length: [40, null],
      examples: ["dp.pt.[A-Za-z0-9]{40}", "dp.st.[A-Za-z0-9]{40}"],
      counterexamples: ["dp.pt.[A-Za-z0-9._-]{13}"]
    },
    {
      name: "Dropbox token",
      kind: "dropbox-token",
      source: "gitleaks",
      prefix: ["sl.", "sl.u."],
      alphabet: "A-Za-z0-9_-",
      length: [100, null],
      examples: ["sl.[A-Za-z0-9]{100}", "sl.u.[A-Za-z0-9]{100}"],
      counterexamples: ["sl.[A-Za-z0-9_-]{33}"]
    },
    {
      name: "Duffel token",
      kind: "duffel-token",
      source: "gitleaks",
      prefix: ["duffel_test_", "duffel_live_"],
      alphabet: "A-Za-z0-9_=-",
      length: 43,
      examples: ["duffel_test_[A-Za-z0-9]{43}", "duffel_live_[A-Za-z0-9]{43}"],
      counterexamples: ["duffel_test_[A-Za-z0-9_=-]{14}"]
    },
    {
      name: "Dynatrace token",
      kind: "dynatrace-token",
      source: "dynatrace",
      prefix: ["dt0c01.", "dt0s01."],
      alphabet: "A-Za-z0-9",
      length: [24, 24],
      tail: "\\.[A-Za-z0-9]{64}(?![A-Za-z0-9])",
      inside: true,
      examples: ["dt0c01.[A-Za-z0-9]{24}.[A-Za-z0-9]{64}"],
      counterexamples: ["dt0c01.[A-Za-z0-9]{24}"]
    },
    {
      name: "E2B key",
      kind: "e2b-key",
      source: "trufflehog",
      prefix: ["e2b_"],
      alphabet: "0-9a-f",
      length: 40,
      examples: ["e2b_[0-9a-f]{40}"],
      counterexamples: ["e2b_[0-9a-f]{13}"]
    },
    {
      name: "EasyPost key",
      kind: "easypost-key",
      source: "gitleaks",
      prefix: ["EZAK", "EZTK"],
      alphabet: "A-Za-z0-9",
      length: 54,
      examples: ["EZAK[A-Za-z0-9]{54}", "EZTK[A-Za-z0-9]{54}"],
      counterexamples: ["EZAK[A-Za-z0-9]{18}"]
    },
    {
      name: "Elastic cloud key",
      kind: "elastic-key",
      source: "betterleaks",
      prefix: ["essu_"],
      alphabet: "A-Za-z0-9+/=_-",
      length: [60, null],
      examples: ["essu_[A-Za-z0-9]{60}"],
      counterexamples: ["essu_[A-Za-z0-9]{9}"]
    },
    {
      name: "ElevenLabs key",
      kind: "elevenlabs-key",
      source: "trufflehog",
      prefix: ["sk_"],
      alphabet: "0-9a-f",
      length: 48,
      examples: ["sk_[0-9a-f]{48}"],
      counterexamples: ["sk_[0-9a-f]{16}"]
    },
    {
      name: "Endor Labs key",
      kind: "endor-key",
      source: "trufflehog",
      prefix: ["endr+"],
      alphabet: "A-Za-z0-9-",
      length: 16,
      examples: ["endr+[A-Za-z0-9]{16}"],
      counterexamples: ["endr+[A-Za-z0-9]{5}"]
    },
    {
      name: "Exoscale key",
      kind: "exoscale-key",
      source: "betterleaks",
      prefix: ["EXO"],
      alphabet: "A-Za-z0-9",
      length: [24, 30],
      check: "token",
      examples: ["EXO[A-Za-z0-9]{25}7k9"],
      counterexamples: ["EXO[A-Za-z0-9]{9}"]
    },
    {
      name: "Facebook access token",
      kind: "facebook-token",
      source: "gitleaks",
      prefix: ["EAA"],
      alphabet: "A-Za-z0-9",
      length: [100, null],
      examples: ["EAA[A-Za-z0-9]{100}"],
      counterexamples: ["EAA[A-Za-z0-9]{33}"]
    },
    {
      name: "Figma token",
      kind: "figma-token",
      source: "betterleaks",
      prefix: ["figd_", "figp_", "figu_"],
      alphabet: "A-Za-z0-9_=-",
      length: [38, null],
      examples: ["figd_[A-Za-z0-9]{38}", "figp_[A-Za-z0-9]{38}"],
      counterexamples: ["figd_[A-Za-z0-9]{9}"]
    },
    {
      name: "Finage key",
      kind: "finage-key",
      source: "trufflehog",
      prefix: ["API_KEY"],
      alphabet: "0-9A-Z",
      length: 32,
      check: "random",
      examples: ["API_KEY[0-9A-Z]{32}"],
      counterexamples: ["API_KEY[0-9A-Z]{9}"]
    },
    {
      name: "Firecrawl key",
      kind: "firecrawl-key",
      source: "trufflehog",
      prefix: ["fc-"],
      alphabet: "0-9a-f",
      length: 32,
      examples: ["fc-[0-9a-f]{32}"],
      counterexamples: ["fc-[0-9a-f]{10}"]
    },
    {
      name: "Fireworks key",
      kind: "fireworks-key",
      source: "trufflehog",
      prefix: ["fw_"],
      alphabet: "A-Za-z0-9",
      length: [22, 40],
      check: "mixed",
      examples: ["fw_[A-Za-z0-9]{22}"],
      counterexamples: ["fw_[A-Za-z0-9]{7}"]
    },
    {
      name: "Fleetbase key",
      kind: "fleetbase-key",
      source: "trufflehog",
      prefix: ["flb_live_"],
      alphabet: "A-Za-z0-9",
      length: 20,
      examples: ["flb_live_[A-Za-z0-9]{20}"],
      counterexamples: ["flb_live_[A-Za-z0-9]{6}"]
    },
    {
      name: "Flexport token",
      kind: "flexport-token",
      source: "trufflehog",
      prefix: ["shltm_"],
      alphabet: "A-Za-z0-9_-",
      length: 40,
      examples: ["shltm_[A-Za-z0-9]{40}"],
      counterexamples: ["shltm_[A-Za-z0-9]{9}"]
    },
    {
      name: "Flutterwave key",
      kind: "flutterwave-key",
      source: "gitleaks",
      prefix: ["FLWSECK_TEST-", "FLWSECK-"],
      alphabet: "a-z0-9",
      length: [12, null],
      tail: "(?:-X)?",
      anywhere: true,
      examples: ["FLWSECK_TEST-[a-z0-9]{12}", "FLWSECK-[a-z0-9]{12}"],
      counterexamples: ["FLWSECK_TEST-[a-z0-9]{4}"]
    },
    {
      name: "Fly.io deploy token",
      kind: "fly-token",
      source: "gitleaks",
      prefix: ["fo1_"],
      alphabet: "A-Za-z0-9_-",
      length: 43,
      examples: ["fo1_[A-Za-z0-9]{43}"],
      counterexamples: ["fo1_[A-Za-z0-9_-]{14}"]
    },
    {
      name: "Fly.io token",
      kind: "fly-token",
      source: "gitleaks",
      prefix: ["FlyV1 fm", "fm1_", "fm1r_", "fm1a_", "fm2_"],
      alphabet: "A-Za-z0-9+/=,_-",
      length: [80, null],
      anywhere: true,
      examples: ["FlyV1 fm1_[A-Za-z0-9+/,]{80}", "FlyV1 fm1r_[A-Za-z0-9+/,]{80}"],
      counterexamples: ["FlyV1 fm1_[A-Za-z0-9+/=,_]{26}"]
    },
    {
      name: "Frame.io token",
      kind: "frameio-token",
      source: "gitleaks",
      prefix: ["fio-u-"],
      alphabet: "A-Za-z0-9=_-",
      length: 64,
      examples: ["fio-u-[A-Za-z0-9]{64}"],
      counterexamples: ["fio-u-[A-Za-z0-9=_-]{21}"]
    },
    {
      name: "FullStory key",
      kind: "fullstory-key",
      source: "trufflehog",
      prefix: ["na1.", "eu1."],
      alphabet: "A-Za-z0-9+/",
      length: 100,
      examples: ["na1.[A-Za-z0-9]{100}", "eu1.[A-Za-z0-9]{100}"],
      counterexamples: ["na1.[A-Za-z0-9]{9}"]
    },
    {
      name: "GC Notify key",
      kind: "gcnotify-key",
      source: "betterleaks",
      prefix: ["gcntfy-"],
      alphabet: "A-Za-z0-9_-",
      length: [70, null],
      examples: ["gcntfy-[A-Za-z0-9]{70}"],
      counterexamples: ["gcntfy-[A-Za-z0-9]{9}"]
    },
    {
      name: "Gemini exchange key",
      kind: "gemini-key",
      source: "trufflehog",
      prefix: ["master-", "account-"],
      alphabet: "A-Za-z0-9",
      length: 20,
      check: "mixed",
      examples: ["master-[A-Za-z0-9]{20}", "account-[A-Za-z0-9]{20}"],
      counterexamples: ["master-[A-Za-z0-9]{6}"]
    },
    {
      name: "GitHub fine-grained token",
      kind: "github-token",
      source: "github-formats",
      prefix: ["github_pat_"],
      alphabet: "A-Za-z0-9_",
      length: [36, 255],
      inside: true,
      anywhere: true,
      examples: ["github_pat_[A-Za-z0-9]{36}"],
      counterexamples: ["github_pat_[A-Za-z0-9_]{12}"]
    },
    {
      name: "GitHub token",
      kind: "github-token",
      source: "github-formats",
      prefix: ["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
      alphabet: "A-Za-z0-9_",
      length: [36, 255],
      inside: true,
      anywhere: true,
      examples: ["ghp_[A-Za-z0-9]{36}", "gho_[A-Za-z0-9]{36}"],
      counterexamples: ["ghp_[A-Za-z0-9]{12}"]
    },
    {
      name: "GitLab runner registration token",
      kind: "gitlab-token",
      source: "gitlab",
      prefix: ["GR1348941"],
      alphabet: "A-Za-z0-9_-",
      length: [20, null],
      examples: ["GR1348941[A-Za-z0-9]{20}"],
      counterexamples: ["GR1348941[A-Za-z0-9_-]{6}"]
    },
    {
      name: "GitLab session cookie",
      kind: "gitlab-token",
      source: "gitleaks",
      prefix: ["_gitlab_session="],
      alphabet: "0-9a-z",
      length: 32,
      anywhere: true,
      examples: ["_gitlab_session=[0-9a-z]{32}"],
      counterexamples: ["_gitlab_session=[0-9a-z]{9}"]
    },
    {
      name: "GitLab token",
      kind: "gitlab-token",
      source: "gitlab",
      prefix: ["glpat-", "gloas-", "gldt-", "glrt-", "glrtr-", "glcbt-", "glptt-", "glft-", "glimt-", "glagent-", "glsoat-", "glffct-", "glwt-", "gltok-"],
      alphabet: "A-Za-z0-9_.=-",
      length: [20, null],
      anywhere: true,
      examples: ["glpat-[A-Za-z0-9]{20}", "gloas-[A-Za-z0-9]{20}"],
      counterexamples: ["glpat-[A-Za-z0-9_.-]{6}"]
    },
    {
      name: "GoCardless token",
      kind: "gocardless-token",
      source: "gitleaks",
      prefix: ["live_", "sandbox_"],
      alphabet: "A-Za-z0-9_-",
      length: [40, 43],
      check: "mixed",
      examples: ["live_[A-Za-z0-9]{40}", "sandbox_[A-Za-z0-9]{40}"],
      counterexamples: ["live_[A-Za-z0-9_-]{13}"]
    },
    {
      name: "Google API key",
      kind: "google-key",
      source: "google",
      prefix: ["AIza"],
      alphabet: "A-Za-z0-9_-",
      length: [35, 35],
      inside: true,
      anywhere: true,
      examples: ["AIza[A-Za-z0-9]{35}"],
      counterexamples: ["AIza[A-Za-z0-9_-]{11}"]
    },
    {
      name: "Google Gemini key",
      kind: "google-key",
      source: "google",
      prefix: ["AQ.Ab"],
      alphabet: "A-Za-z0-9_-",
      length: [40, null],
      examples: ["AQ.Ab[A-Za-z0-9]{40}"],
      counterexamples: ["AQ.Ab[A-Za-z0-9_-]{13}"]
    },
    {
      name: "Google OAuth access token",
      kind: "google-token",
      source: "google",
      prefix: ["ya29."],
      alphabet: "A-Za-z0-9_.-",
      length: [10, null],
      anywhere: true,
      examples: ["ya29.[A-Za-z0-9]{20}"],
      counterexamples: ["ya29.[A-Za-z0-9_.-]{6}"]
    },
    {
      name: "Google OAuth client secret",
      kind: "google-token",
      source: "google",
      prefix: ["GOCSPX-"],
      alphabet: "A-Za-z0-9_-",
      length: [28, 28],
      inside: true,
      anywhere: true,
      examples: ["GOCSPX-[A-Za-z0-9]{28}"],
      counterexamples: ["GOCSPX-[A-Za-z0-9_-]{9}"]
    },
    {
      name: "Google OAuth refresh token",
      kind: "google-token",
      source: "google",
      prefix: ["1//0"],
      alphabet: "A-Za-z0-9_-",
      length: [30, null],
      examples: ["1//0[A-Za-z0-9]{30}"],
      counterexamples: ["1//0[A-Za-z0-9_-]{10}"]
    },
    {
      name: "Grafana API key",
      kind: "grafana-token",
      source: "gitleaks",
      prefix: ["eyJrIjoi"],
      alphabet: "A-Za-z0-9+/=",
      length: [40, null],
      examples: ["eyJrIjoi[A-Za-z0-9]{40}"],
      counterexamples: ["eyJrIjoi[A-Za-z0-9]{9}"]
    },
    {
      name: "Grafana token",
      kind: "grafana-token",
      source: "grafana",
      prefix: ["glsa_", "glc_"],
      alphabet: "A-Za-z0-9+/=_",
      length: [32, null],
      anywhere: true,
      examples: ["glsa_[A-Za-z0-9+/]{32}", "glc_[A-Za-z0-9+/]{32}"],
      counterexamples: ["glsa_[A-Za-z0-9+/=_]{10}"]
    },
    {
      name: "Groq key",
      kind: "groq-key",
      source: "betterleaks",
      prefix: ["gsk_"],
      alphabet: "A-Za-z0-9",
      length: [48, null],
      examples: ["gsk_[A-Za-z0-9]{48}"],
      counterexamples: ["gsk_[A-Za-z0-9]{16}"]
    },
    {
      name: "Harness token",
      kind: "harness-token",
      source: "gitleaks",
      prefix: ["pat.", "sat."],
      alphabet: "A-Za-z0-9_-",
      length: [22, 22],
      tail: "\\.[A-Za-z0-9]{24}\\.[A-Za-z0-9]{20}(?![A-Za-z0-9])",
      inside: true,
      examples: ["pat.[A-Za-z0-9_-]{22}.[A-Za-z0-9]{24}.[A-Za-z0-9]{20}"],
      counterexamples: ["pat.[A-Za-z0-9_-]{7}"]
    },
    {
      name: "Header of a JSON web token, and what follows",
      kind: "jwt",
      source: "trufflehog",
      prefix: ["eyJhbGciOiJIUzI1NiJ9"],
      alphabet: "A-Za-z0-9._-",
      length: [100, null],
      examples: ["eyJhbGciOiJIUzI1NiJ9.[A-Za-z0-9]{60}.[A-Za-z0-9]{43}"],
      counterexamples: ["eyJhbGciOiJIUzI1NiJ9[A-Za-z0-9]{12}"]
    },
    {
      name: "Helicone key",
      kind: "helicone-key",
      source: "trufflehog",
      prefix: ["sk-helicone-", "pk-helicone-"],
      alphabet: "a-z0-9-",
      length: [30, null],
      examples: ["sk-helicone-[a-z0-9]{30}", "pk-helicone-[a-z0-9]{30}"],
      counterexamples: ["sk-helicone-[a-z0-9-]{10}"]
    },
    {
      name: "Heroku key",
      kind: "heroku-key",
      source: "gitleaks",
      prefix: ["HRKU-"],
      alphabet: "A-Za-z0-9_-",
      length: [30, null],
      anywhere: true,
      examples: ["HRKU-[A-Za-z0-9]{30}"],
      counterexamples: ["HRKU-[A-Za-z0-9_-]{10}"]
    },
    {
      name: "Hubspot private app token",
      kind: "hubspot-token",
      source: "trufflehog",
      prefix: ["pat-na1-", "pat-eu1-"],
      alphabet: "A-Za-z0-9-",
      length: 36,
      examples: ["pat-na1-[A-Za-z0-9]{36}", "pat-eu1-[A-Za-z0-9]{36}"],
      counterexamples: ["pat-na1-[A-Za-z0-9]{9}"]
    },
    {
      name: "Hugging Face token",
      kind: "hugging-face-token",
      source: "gitleaks",
      prefix: ["hf_", "api_org_"],
      alphabet: "A-Za-z",
      length: [30, null],
      examples: ["hf_[A-Za-z]{30}", "api_org_[A-Za-z]{30}"],
      counterexamples: ["hf_[A-Za-z]{10}"]
    },
    {
      name: "Infracost token",
      kind: "infracost-token",
      source: "gitleaks",
      prefix: ["ico-"],
      alphabet: "A-Za-z0-9",
      length: 32,
      examples: ["ico-[A-Za-z0-9]{32}"],
      counterexamples: ["ico-[A-Za-z0-9]{10}"]
    },
    {
      name: "Instagram token",
      kind: "instagram-token",
      source: "trufflehog",
      prefix: ["IGQVJ", "IGQWR", "IGAA"],
      alphabet: "A-Za-z0-9_-",
      length: [100, null],
      examples: ["IGQVJ[A-Za-z0-9]{100}", "IGQWR[A-Za-z0-9]{100}"],
      counterexamples: ["IGQVJ[A-Za-z0-9_-]{33}"]
    },
    {
      name: "Intra42 secret",
      kind: "intra42-secret",
      source: "gitleaks",
      prefix: ["s-s4t2ud-", "s-s4t2af-"],
      alphabet: "0-9a-f",
      length: 64,
      examples: ["s-s4t2ud-[0-9a-f]{64}", "s-s4t2af-[0-9a-f]{64}"],
      counterexamples: ["s-s4t2ud-[0-9a-f]{21}"]
    },
    {
      name: "Jina key",
      kind: "jina-key",
      source: "github",
      prefix: ["jina_"],
      alphabet: "A-Za-z0-9_-",
      length: [50, null],
      examples: ["jina_[A-Za-z0-9]{50}"],
      counterexamples: ["jina_[A-Za-z0-9_-]{16}"]
    },
    {
      name: "JSON web token in base64",
      kind: "jwt",
      source: "betterleaks",
      prefix: ["ZXlK"],
      alphabet: "A-Za-z0-9+/_-",
      length: [62, null],
      tail: "={0,2}",
      examples: ["ZXlKaGJHY2lPaUpJVXpJMU5pSjku[A-Za-z0-9]{80}"],
      counterexamples: ["ZXlK[A-Za-z0-9]{40}"]
    },
    {
      name: "JumpCloud key",
      kind: "jumpcloud-key",
      source: "github",
      prefix: ["jca_"],
      alphabet: "A-Za-z0-9",
      length: 36,
      examples: ["jca_[A-Za-z0-9]{36}"],
      counterexamples: ["jca_[A-Za-z0-9]{12}"]
    },
    {
      name: "Kong Konnect token",
      kind: "kong-token",
      source: "github",
      prefix: ["kpat_", "spat_"],
      alphabet: "A-Za-z0-9",
      length: [40, null],
      examples: ["kpat_[A-Za-z0-9]{40}", "spat_[A-Za-z0-9]{40}"],
      counterexamples: ["kpat_[A-Za-z0-9]{13}"]
    },
    {
      name: "Langfuse key",
      kind: "langfuse-key",
      source: "trufflehog",
      prefix: ["sk-lf-"],
      alphabet: "0-9a-f-",
      length: [36, null],
      examples: ["sk-lf-[0-9a-f]{36}"],
      counterexamples: ["sk-lf-[0-9a-f-]{12}"]
    },
    {
      name: "LangSmith key",
      kind: "langsmith-key",
      source: "trufflehog",
      prefix: ["lsv2_pt_", "lsv2_sk_"],
      alphabet: "A-Za-z0-9_",
      length: [32, null],
      anywhere: true,
      examples: ["lsv2_pt_[A-Za-z0-9]{32}", "lsv2_sk_[A-Za-z0-9]{32}"],
      counterexamples: ["lsv2_pt_[A-Za-z0-9_]{10}"]
    },
    {
      name: "Lark app ID",
      kind: "lark-key",
      source: "betterleaks",
      prefix: ["cli_"],
      alphabet: "A-Za-z0-9",
      length: 16,
      check: "random",
      examples: ["cli_[A-Za-z0-9]{16}"],
      counterexamples: ["cli_[A-Za-z0-9]{5}"]
    },
    {
      name: "LaunchDarkly key",
      kind: "launchdarkly-key",
      source: "trufflehog",
      prefix: ["sdk-", "api-", "mob-"],
      alphabet: "a-z0-9-",
      length: 36,
      check: "token",
      examples: ["sdk-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"],
      counterexamples: ["sdk-[0-9a-f]{8}"]
    },
    {
      name: "Lichess token",
      kind: "lichess-token",
      source: "betterleaks",
      prefix: ["lip_"],
      alphabet: "A-Za-z0-9_",
      length: [16, null],
      check: "token",
      examples: ["lip_[A-Za-z0-9]{24}"],
      counterexamples: ["lip_[A-Za-z0-9]{8}"]
    },
    {
      name: "LightSpeed key",
      kind: "lightspeed-token",
      source: "github",
      prefix: ["lsxs_pt_"],
      alphabet: "A-Za-z0-9",
      length: 32,
      examples: ["lsxs_pt_[A-Za-z0-9]{32}"],
      counterexamples: ["lsxs_pt_[A-Za-z0-9]{10}"]
    },
    {
      name: "Linear key",
      kind: "linear-key",
      source: "gitleaks",
      prefix: ["lin_api_", "lin_oauth_"],
      alphabet: "A-Za-z0-9",
      length: [32, null],
      anywhere: true,
      examples: ["lin_api_[A-Za-z0-9]{32}", "lin_oauth_[A-Za-z0-9]{32}"],
      counterexamples: ["lin_api_[A-Za-z0-9]{10}"]
    },
    {
      name: "LlamaIndex key",
      kind: "llamaindex-key",
      source: "trufflehog",
      prefix: ["llx-"],
      alphabet: "A-Za-z0-9",
      length: [40, null],
      examples: ["llx-[A-Za-z0-9]{40}"],
      counterexamples: ["llx-[A-Za-z0-9]{13}"]
    },
    {
      name: "Lob key",
      kind: "lob-key",
      source: "gitleaks",
      prefix: ["live_", "test_"],
      alphabet: "0-9a-f",
      length: 35,
      examples: ["live_[0-9a-f]{35}", "test_[0-9a-f]{35}"],
      counterexamples: ["live_[0-9a-f]{11}"]
    },
    {
      name: "LocationIQ key",
      kind: "locationiq-key",
      source: "trufflehog",
      prefix: ["pk."],
      alphabet: "A-Za-z0-9-",
      length: 32,
      check: "token",
      examples: ["pk.[A-Za-z0-9]{32}"],
      counterexamples: ["pk.[A-Za-z0-9]{9}"]
    },
    {
      name: "Logfire token",
      kind: "logfire-token",
      source: "github",
      prefix: ["pylf_v1_us_", "pylf_v1_eu_", "pylf_v2_us_", "pylf_v2_eu_"],
      alphabet: "A-Za-z0-9",
      length: [40, null],
      examples: ["pylf_v1_us_[A-Za-z0-9]{40}", "pylf_v1_eu_[A-Za-z0-9]{40}"],
      counterexamples: ["pylf_v1_us_[A-Za-z0-9]{13}"]
    },
    {
      name: "MailerSend token",
      kind: "mailersend-token",
      source: "betterleaks",
      prefix: ["mlsn."],
      alphabet: "A-Za-z0-9",
      length: [30, null],
      examples: ["mlsn.[A-Za-z0-9]{30}"],
      counterexamples: ["mlsn.[A-Za-z0-9]{9}"]
    },
    {
      name: "Mailgun key",
      kind: "mailgun-key",
      source: "gitleaks",
      prefix: ["key-"],
      alphabet: "a-z0-9",
      length: 32,
      examples: ["key-[a-z0-9]{32}"],
      counterexamples: ["key-[a-z0-9]{10}"]
    },
    {
      name: "Mapbox secret token",
      kind: "mapbox-token",
      source: "mapbox",
      prefix: ["sk."],
      alphabet: "A-Za-z0-9_.-",
      length: [80, null],
      check: "token",
      examples: ["sk.[A-Za-z0-9]{80}"],
      counterexamples: ["sk.[A-Za-z0-9]{9}"]
    },
    {
      name: "Mapbox temporary token",
      kind: "mapbox-token",
      source: "github",
      prefix: ["tk.eyJ"],
      alphabet: "A-Za-z0-9_.-",
      length: [60, null],
      examples: ["tk.eyJ[A-Za-z0-9]{60}"],
      counterexamples: ["tk.eyJ[A-Za-z0-9_.-]{20}"]
    },
    {
      name: "Mercury token",
      kind: "mercury-token",
      source: "betterleaks",
      prefix: ["mercury_production_"],
      alphabet: "A-Za-z0-9_",
      length: [40, null],
      examples: ["mercury_production_[A-Za-z0-9]{40}"],
      counterexamples: ["mercury_production_[A-Za-z0-9]{9}"]
    },
    {
      name: "Mergify key",
      kind: "mergify-key",
      source: "betterleaks",
      prefix: ["mergify_application_key_"],
      alphabet: "A-Za-z0-9_-",
      length: [40, null],
      check: "token",
      examples: ["mergify_application_key_[A-Za-z0-9]{40}"],
      counterexamples: ["mergify_application_key_[A-Za-z0-9]{9}"]
    },
    {
      name: "Midtrans key",
      kind: "midtrans-key",
      source: "github",
      prefix: ["SB-Mid-server-", "Mid-server-"],
      alphabet: "A-Za-z0-9_-",
      length: [12, null],
      examples: ["SB-Mid-server-[A-Za-z0-9]{20}", "Mid-server-[A-Za-z0-9]{20}"],
      counterexamples: ["SB-Mid-server-[A-Za-z0-9_-]{6}"]
    },
    {
      name: "Modal token",
      kind: "modal-key",
      source: "trufflehog",
      prefix: ["ak-", "as-"],
      alphabet: "A-Za-z0-9",
      length: 22,
      check: "mixed",
      examples: ["ak-[A-Za-z0-9]{22}", "as-[A-Za-z0-9]{22}"],
      counterexamples: ["ak-[A-Za-z0-9]{7}"]
    },
    {
      name: "MongoDB Atlas service account secret",
      kind: "atlas-key",
      source: "betterleaks",
      prefix: ["mdb_sa_sk_"],
      alphabet: "A-Za-z0-9_-",
      length: [30, null],
      examples: ["mdb_sa_sk_[A-Za-z0-9]{30}"],
      counterexamples: ["mdb_sa_sk_[A-Za-z0-9_-]{10}"]
    },
    {
      name: "NATS seed",
      kind: "nats-seed",
      source: "nats",
      prefix: ["SU", "SA", "SO", "SN", "SC", "SX"],
      alphabet: "A-Z2-7",
      length: 56,
      check: "nkey",
      examples: ["SUA[A-Z2-7]{55}"],
      counterexamples: ["SU[A-Z2-7]{18}"]
    },
    {
      name: "Neon key",
      kind: "neon-key",
      source: "betterleaks",
      prefix: ["napi_"],
      alphabet: "A-Za-z0-9",
      length: [40, null],
      examples: ["napi_[A-Za-z0-9]{40}"],
      counterexamples: ["napi_[A-Za-z0-9]{13}"]
    },
    {
      name: "Netlify token",
      kind: "netlify-token",
      source: "betterleaks",
      prefix: ["nfp_", "nfc_", "nfo_", "nfu_"],
      alphabet: "A-Za-z0-9",
      length: [36, null],
      examples: ["nfp_[A-Za-z0-9]{36}", "nfc_[A-Za-z0-9]{36}"],
      counterexamples: ["nfp_[A-Za-z0-9]{12}"]
    },
    {
      name: "New Relic key",
      kind: "new-relic-key",
      source: "new-relic",
      prefix: ["NRAK-", "NRII-", "NRJS-", "NRRA-", "NRIQ-", "NRBR-", "NRSP-"],
      alphabet: "A-Za-z0-9_-",
      length: [19, null],
      anywhere: true,
      examples: ["NRAK-[A-Za-z0-9]{19}", "NRII-[A-Za-z0-9]{19}"],
      counterexamples: ["NRAK-[A-Za-z0-9_-]{6}"]
    },
    {
      name: "Nightfall key",
      kind: "nightfall-key",
      source: "trufflehog",
      prefix: ["NF-"],
      alphabet: "A-Za-z0-9",
      length: 32,
      examples: ["NF-[A-Za-z0-9]{32}"],
      counterexamples: ["NF-[A-Za-z0-9]{10}"]
    },
    {
      name: "Nomic key",
      kind: "nomic-key",
      source: "trufflehog",
      prefix: ["nk-"],
      alphabet: "A-Za-z0-9_-",
      length: 43,
      check: "mixed",
      examples: ["nk-[A-Za-z0-9]{43}"],
      counterexamples: ["nk-[A-Za-z0-9_-]{14}"]
    },
    {
      name: "Notion token",
      kind: "notion-token",
      source: "betterleaks",
      prefix: ["ntn_", "secret_"],
      alphabet: "A-Za-z0-9",
      length: [43, 50],
      examples: ["ntn_[A-Za-z0-9]{43}", "secret_[A-Za-z0-9]{43}"],
      counterexamples: ["ntn_[A-Za-z0-9]{14}"]
    },
    {
      name: "npm token",
      kind: "npm-token",
      source: "npm",
      prefix: ["npm_"],
      alphabet: "A-Za-z0-9",
      length: [36, 36],
      inside: true,
      examples: ["npm_[A-Za-z0-9]{36}"],
      counterexamples: ["npm_[A-Za-z0-9]{12}"]
    },
    {
      name: "NuGet key",
      kind: "nuget-key",
      source: "trufflehog",
      prefix: ["oy2"],
      alphabet: "a-z0-9",
      length: 43,
      examples: ["oy2[a-z0-9]{43}"],
      counterexamples: ["oy2[a-z0-9]{14}"]
    },
    {
      name: "NVIDIA key",
      kind: "nvidia-key",
      source: "trufflehog",
      prefix: ["nvapi-"],
      alphabet: "A-Za-z0-9_-",
      length: [60, null],
      anywhere: true,
      examples: ["nvapi-[A-Za-z0-9]{60}"],
      counterexamples: ["nvapi-[A-Za-z0-9_-]{20}"]
    },
    {
      name: "Octopus Deploy key",
      kind: "octopus-key",
      source: "gitleaks",
      prefix: ["API-"],
      alphabet: "A-Z0-9",
      length: [25, 32],
      check: "random",
      examples: ["API-[A-Z0-9]{25}"],
      counterexamples: ["API-[A-Z0-9]{8}"]
    },
    {
      name: "Omise key",
      kind: "omise-key",
      source: "github",
      prefix: ["skey_test_", "skey_", "skey_live_"],
      alphabet: "a-z0-9",
      length: [19, null],
      examples: ["skey_test_[a-z0-9]{19}", "skey_[a-z0-9]{19}"],
      counterexamples: ["skey_test_[a-z0-9]{6}"]
    },
    {
      name: "OneSignal token",
      kind: "onesignal-token",
      source: "betterleaks",
      prefix: ["os_v2_app_", "os_v2_org_"],
      alphabet: "a-z2-7",
      length: [100, null],
      examples: ["os_v2_app_[a-z2-7]{100}", "os_v2_org_[a-z2-7]{100}"],
      counterexamples: ["os_v2_app_[a-z2-7]{9}"]
    },
    {
      name: "Onfido token",
      kind: "onfido-token",
      source: "betterleaks",
      prefix: ["api_live.", "api_sandbox.", "api_live_us.", "api_live_ca."],
      alphabet: "A-Za-z0-9_-",
      length: [20, null],
      check: "token",
      examples: ["api_live.[A-Za-z0-9]{24}", "api_sandbox.[A-Za-z0-9]{24}"],
      counterexamples: ["api_live.[A-Za-z0-9]{8}"]
    },
    {
      name: "OpenAI key, and others that begin with sk-",
      kind: "openai-key",
      source: "openai",
      prefix: ["sk-", "sk-proj-", "sk-svcacct-", "sk-admin-", "sk-or-v1-", "sk-None-"],
      alphabet: "A-Za-z0-9_-",
      length: [20, null],
      check: "random",
      examples: ["sk-[A-Za-z0-9]{20}", "sk-proj-[A-Za-z0-9]{20}"],
      counterexamples: ["sk-[A-Za-z0-9_-]{6}"]
    },
    {
      name: "OpenShift token",
      kind: "openshift-token",
      source: "gitleaks",
      prefix: ["sha256~"],
      alphabet: "A-Za-z0-9_-",
      length: 43,
      examples: ["sha256~[A-Za-z0-9]{43}"],
      counterexamples: ["sha256~[A-Za-z0-9_-]{14}"]
    },
    {
      name: "OpenVSX token",
      kind: "openvsx-token",
      source: "github",
      prefix: ["ovsxat_"],
      alphabet: "A-Za-z0-9_-",
      length: 36,
      examples: ["ovsxat_[A-Za-z0-9]{36}"],
      counterexamples: ["ovsxat_[A-Za-z0-9_-]{12}"]
    },
    {
      name: "Paddle key",
      kind: "paddle-key",
      source: "betterleaks",
      prefix: ["pdl_live_apikey_", "pdl_sdbx_apikey_"],
      alphabet: "A-Za-z0-9_",
      length: [40, null],
      examples: ["pdl_live_apikey_[A-Za-z0-9]{40}", "pdl_sdbx_apikey_[A-Za-z0-9]{40}"],
      counterexamples: ["pdl_live_apikey_[A-Za-z0-9]{9}"]
    },
    {
      name: "PagerDuty token",
      kind: "pagerduty-key",
      source: "github",
      prefix: ["pdus+_0XBPWQQ_", "pdeu+_0XBPWQQ_"],
      alphabet: "A-Za-z0-9-_",
      length: [30, null],
      examples: ["pdus+_0XBPWQQ_[A-Za-z0-9]{30}", "pdeu+_0XBPWQQ_[A-Za-z0-9]{30}"],
      counterexamples: ["pdus+_0XBPWQQ_[A-Za-z0-9-_]{10}"]
    },
    {
      name: "Pangea token",
      kind: "pangea-token",
      source: "github",
      prefix: ["pts_", "pcl_", "ptu_"],
      alphabet: "A-Z2-7a-z",
      length: 32,
      check: "token",
      examples: ["pts_[A-Z2-7a-z]{32}", "pcl_[A-Z2-7a-z]{32}"],
      counterexamples: ["pts_[A-Z2-7a-z]{10}"]
    },
    {
      name: "Perplexity key",
      kind: "perplexity-key",
      source: "gitleaks",
      prefix: ["pplx-"],
      alphabet: "A-Za-z0-9",
      length: [40, null],
      examples: ["pplx-[A-Za-z0-9]{40}"],
      counterexamples: ["pplx-[A-Za-z0-9]{13}"]
    },
    {
      name: "Persona key",
      kind: "persona-key",
      source: "betterleaks",
      prefix: ["persona_production_", "persona_sandbox_"],
      alphabet: "A-Za-z0-9_-",
      length: [20, null],
      check: "token",
      examples: ["persona_production_[A-Za-z0-9]{24}", "persona_sandbox_[A-Za-z0-9]{24}"],
      counterexamples: ["persona_production_[A-Za-z0-9]{8}"]
    },
    {
      name: "pganalyze key",
      kind: "pganalyze-key",
      source: "github",
      prefix: ["pgar_", "pga_"],
      alphabet: "A-Za-z0-9",
      length: [24, null],
      check: "mixed",
      examples: ["pgar_[A-Za-z0-9]{24}", "pga_[A-Za-z0-9]{24}"],
      counterexamples: ["pgar_[A-Za-z0-9]{8}"]
    },
    {
      name: "Photoroom key",
      kind: "photoroom-key",
      source: "trufflehog",
      prefix: ["sk_pr_"],
      alphabet: "A-Za-z0-9_",
      length: [40, null],
      check: "token",
      examples: ["sk_pr_[A-Za-z0-9]{40}"],
      counterexamples: ["sk_pr_[A-Za-z0-9]{9}"]
    },
    {
      name: "Pinecone key",
      kind: "pinecone-key",
      source: "betterleaks",
      prefix: ["pcsk_"],
      alphabet: "A-Za-z0-9_",
      length: [60, null],
      anywhere: true,
      examples: ["pcsk_[A-Za-z0-9]{60}"],
      counterexamples: ["pcsk_[A-Za-z0-9_]{20}"]
    },
    {
      name: "Pinterest token",
      kind: "pinterest-token",
      source: "betterleaks",
      prefix: ["pina_", "pinr_"],
      alphabet: "A-Za-z0-9_-",
      length: [20, null],
      check: "token",
      examples: ["pina_[A-Za-z0-9]{24}", "pinr_[A-Za-z0-9]{24}"],
      counterexamples: ["pina_[A-Za-z0-9]{8}"]
    },
    {
      name: "Plaid access token",
      kind: "plaid-token",
      source: "plaid",
      prefix: ["access-sandbox-", "access-production-", "access-development-"],
      alphabet: "0-9a-f-",
      length: 36,
      examples: ["access-sandbox-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"],
      counterexamples: ["access-sandbox-[0-9a-f-]{12}"]
    },
    {
      name: "PlanetScale token",
      kind: "planetscale-token",
      source: "gitleaks",
      prefix: ["pscale_tkn_", "pscale_pw_", "pscale_oauth_"],
      alphabet: "A-Za-z0-9_.=-",
      length: [32, null],
      anywhere: true,
      examples: ["pscale_tkn_[A-Za-z0-9]{32}", "pscale_pw_[A-Za-z0-9]{32}"],
      counterexamples: ["pscale_tkn_[A-Za-z0-9_.=-]{10}"]
    },
    {
      name: "Polar token",
      kind: "polar-token",
      source: "betterleaks",
      prefix: ["polar_at_", "polar_oat_", "polar_pat_", "polar_rt_"],
      alphabet: "A-Za-z0-9_-",
      length: [20, null],
      check: "token",
      examples: ["polar_at_[A-Za-z0-9]{24}", "polar_oat_[A-Za-z0-9]{24}"],
      counterexamples: ["polar_at_[A-Za-z0-9]{8}"]
    },
    {
      name: "Portainer token",
      kind: "portainer-token",
      source: "trufflehog",
      prefix: ["ptr_"],
      alphabet: "A-Za-z0-9_-",
      length: [20, 60],
      check: "mixed",
      examples: ["ptr_[A-Za-z0-9]{60}"],
      counterexamples: ["ptr_[A-Za-z0-9]{9}"]
    },
    {
      name: "PostHog key",
      kind: "posthog-key",
      source: "betterleaks",
      prefix: ["phx_", "phs_"],
      alphabet: "A-Za-z0-9_-",
      length: [40, null],
      check: "token",
      examples: ["phx_[A-Za-z0-9]{40}", "phs_[A-Za-z0-9]{40}"],
      counterexamples: ["phx_[A-Za-z0-9]{9}"]
    },
    {
      name: "Postman collection key",
      kind: "postman-key",
      source: "trufflehog",
      prefix: ["PMAT-"],
      alphabet: "A-Z0-9",
      length: 26,
      examples: ["PMAT-[A-Z0-9]{26}"],
      counterexamples: ["PMAT-[A-Z0-9]{8}"]
    },
    {
      name: "Postman key",
      kind: "postman-key",
      source: "gitleaks",
      prefix: ["PMAK-"],
      alphabet: "A-Za-z0-9-",
      length: 59,
      examples: ["PMAK-[A-Za-z0-9]{59}"],
      counterexamples: ["PMAK-[A-Za-z0-9]{9}"]
    },
    {
      name: "Prefect key",
      kind: "prefect-key",
      source: "gitleaks",
      prefix: ["pnu_", "pnb_"],
      alphabet: "A-Za-z0-9",
      length: 36,
      examples: ["pnu_[A-Za-z0-9]{36}", "pnb_[A-Za-z0-9]{36}"],
      counterexamples: ["pnu_[A-Za-z0-9]{12}"]
    },
    {
      name: "Proof key",
      kind: "proof-key",
      source: "betterleaks",
      prefix: ["prf_"],
      alphabet: "A-Za-z0-9_-",
      length: [20, 80],
      check: "mixed",
      examples: ["prf_[A-Za-z0-9]{80}"],
      counterexamples: ["prf_[A-Za-z0-9]{9}"]
    },
    {
      name: "PubNub key",
      kind: "pubnub-key",
      source: "trufflehog",
      prefix: ["pub-c-", "sub-c-", "sec-c-"],
      alphabet: "A-Za-z0-9-",
      length: [36, null],
      check: "token",
      examples: ["pub-c-[A-Za-z0-9]{36}", "sub-c-[A-Za-z0-9]{36}"],
      counterexamples: ["pub-c-[A-Za-z0-9]{9}"]
    },
    {
      name: "Pulumi token",
      kind: "pulumi-token",
      source: "gitleaks",
      prefix: ["pul-"],
      alphabet: "a-z0-9",
      length: 40,
      examples: ["pul-[a-z0-9]{40}"],
      counterexamples: ["pul-[a-z0-9]{9}"]
    },
    {
      name: "PyPI token",
      kind: "pypi-token",
      source: "pypi",
      prefix: ["pypi-AgE"],
      alphabet: "A-Za-z0-9_-",
      length: [50, null],
      anywhere: true,
      examples: ["pypi-AgE[A-Za-z0-9]{50}"],
      counterexamples: ["pypi-AgE[A-Za-z0-9_-]{16}"]
    },
    {
      name: "Rainforest key",
      kind: "rainforest-key",
      source: "betterleaks",
      prefix: ["apikey_"],
      alphabet: "0-9a-f",
      length: 64,
      examples: ["apikey_[0-9a-f]{64}"],
      counterexamples: ["apikey_[0-9a-f]{20}"]
    },
    {
      name: "Ramp secret",
      kind: "ramp-secret",
      source: "betterleaks",
      prefix: ["ramp_sec_"],
      alphabet: "A-Za-z0-9",
      length: 48,
      examples: ["ramp_sec_[A-Za-z0-9]{48}"],
      counterexamples: ["ramp_sec_[A-Za-z0-9]{9}"]
    },
    {
      name: "Razorpay key",
      kind: "razorpay-key",
      source: "trufflehog",
      prefix: ["rzp_live_", "rzp_test_"],
      alphabet: "A-Za-z0-9",
      length: 14,
      examples: ["rzp_live_[A-Za-z0-9]{14}", "rzp_test_[A-Za-z0-9]{14}"],
      counterexamples: ["rzp_live_[A-Za-z0-9]{4}"]
    },
    {
      name: "ReadMe key",
      kind: "readme-key",
      source: "gitleaks",
      prefix: ["rdme_", "rdme_xn8s9h"],
      alphabet: "a-z0-9",
      length: 70,
      examples: ["rdme_[a-z0-9]{70}", "rdme_xn8s9h[a-z0-9]{70}"],
      counterexamples: ["rdme_[a-z0-9]{23}"]
    },
    {
      name: "Render key",
      kind: "render-key",
      source: "betterleaks",
      prefix: ["rnd_"],
      alphabet: "A-Za-z0-9",
      length: [28, null],
      check: "mixed",
      examples: ["rnd_[A-Za-z0-9]{28}"],
      counterexamples: ["rnd_[A-Za-z0-9]{9}"]
    },
    {
      name: "Replicate token",
      kind: "replicate-token",
      source: "trufflehog",
      prefix: ["r8_"],
      alphabet: "A-Za-z0-9_-",
      length: [37, null],
      check: "token",
      examples: ["r8_[A-Za-z0-9]{37}"],
      counterexamples: ["r8_[A-Za-z0-9]{9}"]
    },
    {
      name: "Resend key",
      kind: "resend-key",
      source: "resend",
      prefix: ["re_"],
      alphabet: "A-Za-z0-9_",
      length: [24, 40],
      check: "mixed",
      examples: ["re_[A-Za-z0-9]{24}"],
      counterexamples: ["re_[A-Za-z0-9_]{8}"]
    },
    {
      name: "Robinhood key",
      kind: "robinhood-key",
      source: "trufflehog",
      prefix: ["rh-api-"],
      alphabet: "0-9a-fA-F-",
      length: 36,
      examples: ["rh-api-[0-9a-fA-F]{36}"],
      counterexamples: ["rh-api-[0-9a-fA-F]{9}"]
    },
    {
      name: "Rootly key",
      kind: "rootly-key",
      source: "betterleaks",
      prefix: ["rootly_"],
      alphabet: "0-9a-f",
      length: 64,
      examples: ["rootly_[0-9a-f]{64}"],
      counterexamples: ["rootly_[0-9a-f]{21}"]
    },
    {
      name: "RubyGems key",
      kind: "rubygems-key",
      source: "gitleaks",
      prefix: ["rubygems_"],
      alphabet: "a-z0-9",
      length: [48, null],
      anywhere: true,
      examples: ["rubygems_[a-z0-9]{48}"],
      counterexamples: ["rubygems_[a-z0-9]{9}"]
    },
    {
      name: "RunPod key",
      kind: "runpod-key",
      source: "betterleaks",
      prefix: ["rpa_"],
      alphabet: "A-Za-z0-9",
      length: [30, null],
      examples: ["rpa_[A-Za-z0-9]{30}"],
      counterexamples: ["rpa_[A-Za-z0-9]{9}"]
    },
    {
      name: "SaladCloud key",
      kind: "salad-key",
      source: "trufflehog",
      prefix: ["salad_cloud_"],
      alphabet: "A-Za-z0-9_",
      length: [20, null],
      check: "token",
      examples: ["salad_cloud_[A-Za-z0-9]{24}"],
      counterexamples: ["salad_cloud_[A-Za-z0-9]{8}"]
    },
    {
      name: "Salesforce consumer key",
      kind: "salesforce-token",
      source: "trufflehog",
      prefix: ["3MVG9"],
      alphabet: "A-Za-z0-9._+/=-",
      length: [80, null],
      check: "token",
      examples: ["3MVG9[A-Za-z0-9]{80}"],
      counterexamples: ["3MVG9[A-Za-z0-9]{9}"]
    },
    {
      name: "Salesforce refresh token",
      kind: "salesforce-token",
      source: "trufflehog",
      prefix: ["5Aep861", "5AEP861"],
      alphabet: "A-Za-z0-9._=-",
      length: [60, null],
      examples: ["5Aep861[A-Za-z0-9]{60}", "5AEP861[A-Za-z0-9]{60}"],
      counterexamples: ["5Aep861[A-Za-z0-9]{9}"]
    },
    {
      name: "Samsara token",
      kind: "samsara-token",
      source: "betterleaks",
      prefix: ["samsara_api_"],
      alphabet: "A-Za-z0-9",
      length: [26, null],
      examples: ["samsara_api_[A-Za-z0-9]{26}"],
      counterexamples: ["samsara_api_[A-Za-z0-9]{8}"]
    },
    {
      name: "Sanity token",
      kind: "sanity-token",
      source: "trufflehog",
      prefix: ["sk"],
      next: "abcdefghijklmnopqrstuvwxyz0123456789",
      alphabet: "A-Za-z0-9",
      length: 79,
      check: "mixed",
      examples: ["sk[A-Za-z0-9]{79}"],
      counterexamples: ["sk[A-Za-z0-9]{9}"]
    },
    {
      name: "Scaleway access key",
      kind: "scaleway-key",
      source: "github",
      prefix: ["SCW"],
      alphabet: "A-Z0-9",
      length: 17,
      examples: ["SCW[A-Z0-9]{17}"],
      counterexamples: ["SCW[A-Z0-9]{5}"]
    },
    {
      name: "Scalingo token",
      kind: "scalingo-token",
      source: "gitleaks",
      prefix: ["tk-us-"],
      alphabet: "A-Za-z0-9_-",
      length: 48,
      examples: ["tk-us-[A-Za-z0-9]{48}"],
      counterexamples: ["tk-us-[A-Za-z0-9_-]{16}"]
    },
    {
      name: "Segment token",
      kind: "segment-token",
      source: "betterleaks",
      prefix: ["sgp_"],
      alphabet: "A-Za-z0-9",
      length: [60, 64],
      examples: ["sgp_[A-Za-z0-9]{60}"],
      counterexamples: ["sgp_[A-Za-z0-9]{20}"]
    },
    {
      name: "Sentry organization token",
      kind: "sentry-token",
      source: "gitleaks",
      prefix: ["sntrys_"],
      alphabet: "A-Za-z0-9+/=_-",
      length: [100, null],
      examples: ["sntrys_[A-Za-z0-9+/]{100}"],
      counterexamples: ["sntrys_[A-Za-z0-9+/=_-]{33}"]
    },
    {
      name: "Sentry user token",
      kind: "sentry-token",
      source: "sentry",
      prefix: ["sntryu_", "sntryi_", "sntrya_"],
      alphabet: "0-9a-f",
      length: 64,
      examples: ["sntryu_[0-9a-f]{64}", "sntryi_[0-9a-f]{64}"],
      counterexamples: ["sntryu_[0-9a-f]{21}"]
    },
    {
      name: "Settlemint token",
      kind: "settlemint-token",
      source: "gitleaks",
      prefix: ["sm_pat_", "sm_aat_", "sm_sat_"],
      alphabet: "A-Za-z0-9",
      length: 16,
      examples: ["sm_pat_[A-Za-z0-9]{16}", "sm_aat_[A-Za-z0-9]{16}"],
      counterexamples: ["sm_pat_[A-Za-z0-9]{5}"]
    },
    {
      name: "Shippo key",
      kind: "shippo-key",
      source: "gitleaks",
      prefix: ["shippo_live_", "shippo_test_"],
      alphabet: "0-9a-fA-F",
      length: 40,
      examples: ["shippo_live_[0-9a-fA-F]{40}", "shippo_test_[0-9a-fA-F]{40}"],
      counterexamples: ["shippo_live_[0-9a-fA-F]{13}"]
    },
    {
      name: "Shopify token",
      kind: "shopify-token",
      source: "shopify",
      prefix: ["shpat_", "shpca_", "shppa_", "shpss_", "shptka_"],
      alphabet: "0-9a-fA-F",
      length: [32, 32],
      inside: true,
      anywhere: true,
      examples: ["shpat_[0-9a-fA-F]{32}", "shpca_[0-9a-fA-F]{32}"],
      counterexamples: ["shpat_[0-9a-fA-F]{10}"]
    },
    {
      name: "Slack app token",
      kind: "slack-token",
      source: "slack",
      prefix: ["xapp-"],
      alphabet: "A-Za-z0-9-",
      length: [20, null],
      anywhere: true,
      examples: ["xapp-1-[A-Za-z0-9]{24}"],
      counterexamples: ["xapp-1-[A-Za-z0-9]{8}"]
    },
    {
      name: "Slack token",
      kind: "slack-token",
      source: "slack",
      prefix: ["xoxb-", "xoxa-", "xoxe-", "xoxo-", "xoxp-", "xoxr-", "xoxs-", "xoxc-", "xoxd-", "xoxe.xoxb-", "xoxe.xoxp-"],
      alphabet: "A-Za-z0-9%/+=_-",
      length: [10, null],
      anywhere: true,
      examples: ["xoxb-[A-Za-z0-9]{10}", "xoxa-[A-Za-z0-9]{10}"],
      counterexamples: ["xoxb-[A-Za-z0-9%-]{3}"]
    },
    {
      name: "Smooch token",
      kind: "smooch-token",
      source: "trufflehog",
      prefix: ["act_"],
      alphabet: "0-9a-z",
      length: 24,
      check: "random",
      examples: ["act_[0-9a-z]{24}"],
      counterexamples: ["act_[0-9a-z]{8}"]
    },
    {
      name: "Snyk token",
      kind: "snyk-token",
      source: "github",
      prefix: ["snyk_uat.", "snyk_sat."],
      alphabet: "A-Za-z0-9_.-",
      length: [20, null],
      examples: ["snyk_uat.[A-Za-z0-9]{20}", "snyk_sat.[A-Za-z0-9]{20}"],
      counterexamples: ["snyk_uat.[A-Za-z0-9_.-]{6}"]
    },
    {
      name: "SonarQube token",
      kind: "sonarqube-token",
      source: "sonarqube",
      prefix: ["squ_", "sqp_", "sqa_", "sqb_"],
      alphabet: "0-9a-f",
      length: 40,
      examples: ["squ_[0-9a-f]{40}", "sqp_[0-9a-f]{40}"],
      counterexamples: ["squ_[0-9a-f]{13}"]
    },
    {
      name: "Sourcegraph Cody token",
      kind: "sourcegraph-token",
      source: "trufflehog",
      prefix: ["slk_", "sgd_"],
      alphabet: "0-9a-f",
      length: 64,
      examples: ["slk_[0-9a-f]{64}", "sgd_[0-9a-f]{64}"],
      counterexamples: ["slk_[0-9a-f]{21}"]
    },
    {
      name: "SpectralOps token",
      kind: "spectralops-token",
      source: "trufflehog",
      prefix: ["spu-"],
      alphabet: "0-9a-f",
      length: 32,
      examples: ["spu-[0-9a-f]{32}"],
      counterexamples: ["spu-[0-9a-f]{9}"]
    },
    {
      name: "Square access token",
      kind: "square-token",
      source: "gitleaks",
      prefix: ["EAAA"],
      alphabet: "A-Za-z0-9_-",
      length: [22, 60],
      check: "mixed",
      examples: ["EAAA[A-Za-z0-9]{60}"],
      counterexamples: ["EAAA[A-Za-z0-9]{9}"]
    },
    {
      name: "SSLMate key",
      kind: "sslmate-key",
      source: "github",
      prefix: ["sslmate_"],
      alphabet: "A-Za-z0-9",
      length: [20, null],
      examples: ["sslmate_[A-Za-z0-9]{20}"],
      counterexamples: ["sslmate_[A-Za-z0-9]{6}"]
    },
    {
      name: "Stripe key",
      kind: "stripe-key",
      source: "stripe",
      prefix: ["sk_live_", "sk_test_", "rk_live_", "rk_test_", "sk_prod_", "rk_prod_"],
      alphabet: "A-Za-z0-9-",
      length: [16, null],
      check: "token",
      examples: ["sk_live_[A-Za-z0-9]{16}", "sk_test_[A-Za-z0-9]{16}"],
      counterexamples: ["sk_live_[A-Za-z0-9]{5}"]
    },
    {
      name: "Stripe webhook secret",
      kind: "stripe-key",
      source: "stripe",
      prefix: ["whsec_"],
      alphabet: "A-Za-z0-9+/=",
      length: [24, null],
      examples: ["whsec_[A-Za-z0-9+/]{24}"],
      counterexamples: ["whsec_[A-Za-z0-9+/=]{8}"]
    },
    {
      name: "Stytch secret",
      kind: "stytch-secret",
      source: "trufflehog",
      prefix: ["secret-test-", "secret-live-"],
      alphabet: "A-Za-z0-9=_-",
      length: 36,
      examples: ["secret-test-[A-Za-z0-9]{36}", "secret-live-[A-Za-z0-9]{36}"],
      counterexamples: ["secret-test-[A-Za-z0-9=_-]{12}"]
    },
    {
      name: "Supabase key",
      kind: "supabase-token",
      source: "supabase",
      prefix: ["sb_secret_"],
      alphabet: "A-Za-z0-9_-",
      length: [30, null],
      examples: ["sb_secret_[A-Za-z0-9]{30}"],
      counterexamples: ["sb_secret_[A-Za-z0-9_-]{10}"]
    },
    {
      name: "Supabase token",
      kind: "supabase-token",
      source: "trufflehog",
      prefix: ["sbp_"],
      alphabet: "a-z0-9_-",
      length: [40, null],
      check: "token",
      examples: ["sbp_[a-z0-9]{40}"],
      counterexamples: ["sbp_[a-z0-9]{9}"]
    },
    {
      name: "Tailscale key",
      kind: "tailscale-key",
      source: "tailscale",
      prefix: ["tskey-auth-", "tskey-api-", "tskey-client-", "tskey-scim-", "tskey-webhook-", "tskey-"],
      alphabet: "A-Za-z0-9_-",
      length: [16, null],
      anywhere: true,
      examples: ["tskey-auth-[A-Za-z0-9]{16}", "tskey-api-[A-Za-z0-9]{16}"],
      counterexamples: ["tskey-auth-[A-Za-z0-9_-]{5}"]
    },
    {
      name: "Tavily key",
      kind: "tavily-key",
      source: "trufflehog",
      prefix: ["tvly-", "tvly-dev-"],
      alphabet: "A-Za-z0-9_-",
      length: [28, null],
      check: "token",
      examples: ["tvly-[A-Za-z0-9]{28}", "tvly-dev-[A-Za-z0-9]{28}"],
      counterexamples: ["tvly-[A-Za-z0-9_-]{9}"]
    },
    {
      name: "Tencent key",
      kind: "tencent-key",
      source: "trufflehog",
      prefix: ["AKID"],
      alphabet: "A-Za-z0-9",
      length: 32,
      examples: ["AKID[A-Za-z0-9]{32}"],
      counterexamples: ["AKID[A-Za-z0-9]{10}"]
    },
    {
      name: "Thunderstore token",
      kind: "thunderstore-token",
      source: "betterleaks",
      prefix: ["tss_"],
      alphabet: "A-Za-z0-9_-",
      length: [20, 80],
      check: "scrambled",
      examples: ["tss_[A-Za-z0-9]{80}"],
      counterexamples: ["tss_[A-Za-z0-9]{9}"]
    },
    {
      name: "Tigris key",
      kind: "tigris-key",
      source: "github",
      prefix: ["tid_", "tsec_"],
      alphabet: "A-Za-z0-9_-",
      length: [30, null],
      examples: ["tid_[A-Za-z0-9]{30}", "tsec_[A-Za-z0-9]{30}"],
      counterexamples: ["tid_[A-Za-z0-9_-]{10}"]
    },
    {
      name: "Together key",
      kind: "together-key",
      source: "betterleaks",
      prefix: ["tgp_v1_"],
      alphabet: "A-Za-z0-9_-",
      length: [40, null],
      examples: ["tgp_v1_[A-Za-z0-9]{40}"],
      counterexamples: ["tgp_v1_[A-Za-z0-9_-]{13}"]
    },
    {
      name: "TruffleHog key",
      kind: "trufflehog-key",
      source: "trufflehog",
      prefix: ["thog-key-", "thog-secret-"],
      alphabet: "0-9a-f",
      length: [16, 32],
      examples: ["thog-key-[0-9a-f]{16}", "thog-secret-[0-9a-f]{32}"],
      counterexamples: ["thog-key-[0-9a-f]{9}"]
    },
    {
      name: "Twilio API key",
      kind: "twilio-key",
      source: "gitleaks",
      prefix: ["SK"],
      next: "0123456789abcdef",
      alphabet: "0-9a-f",
      length: 32,
      examples: ["SK[0-9a-f]{32}"],
      counterexamples: ["SK[0-9a-f]{10}"]
    },
    {
      name: "Typeform token",
      kind: "typeform-token",
      source: "gitleaks",
      prefix: ["tfp_"],
      alphabet: "A-Za-z0-9_.=-",
      length: [40, null],
      examples: ["tfp_[A-Za-z0-9]{40}"],
      counterexamples: ["tfp_[A-Za-z0-9_.=-]{13}"]
    },
    {
      name: "Ubidots token",
      kind: "ubidots-token",
      source: "trufflehog",
      prefix: ["BBFF-", "BBUS-"],
      alphabet: "A-Za-z0-9",
      length: 30,
      examples: ["BBFF-[A-Za-z0-9]{30}", "BBUS-[A-Za-z0-9]{30}"],
      counterexamples: ["BBFF-[A-Za-z0-9]{10}"]
    },
    {
      name: "Unkey key",
      kind: "unkey-key",
      source: "betterleaks",
      prefix: ["unkey_"],
      alphabet: "A-Za-z0-9",
      length: [20, 32],
      examples: ["unkey_[A-Za-z0-9]{32}"],
      counterexamples: ["unkey_[A-Za-z0-9]{9}"]
    },
    {
      name: "UpCloud token",
      kind: "upcloud-token",
      source: "betterleaks",
      prefix: ["ucat_"],
      alphabet: "A-Za-z0-9",
      length: [24, 32],
      examples: ["ucat_[A-Za-z0-9]{32}"],
      counterexamples: ["ucat_[A-Za-z0-9]{9}"]
    },
    {
      name: "Val Town token",
      kind: "valtown-token",
      source: "betterleaks",
      prefix: ["vtwn_"],
      alphabet: "A-Za-z0-9_-",
      length: [20, null],
      check: "token",
      examples: ["vtwn_[A-Za-z0-9]{24}"],
      counterexamples: ["vtwn_[A-Za-z0-9]{8}"]
    },
    {
      name: "Vault token",
      kind: "vault-token",
      source: "vault",
      prefix: ["hvs.", "hvb.", "hvr."],
      alphabet: "A-Za-z0-9_-",
      length: [24, null],
      examples: ["hvs.[A-Za-z0-9]{24}", "hvb.[A-Za-z0-9]{24}"],
      counterexamples: ["hvs.[A-Za-z0-9_-]{8}"]
    },
    {
      name: "Vercel token",
      kind: "vercel-token",
      source: "betterleaks",
      prefix: ["vcp_", "vci_", "vca_", "vcr_", "vck_"],
      alphabet: "A-Za-z0-9_-",
      length: [24, null],
      check: "token",
      examples: ["vcp_[A-Za-z0-9]{24}", "vci_[A-Za-z0-9]{24}"],
      counterexamples: ["vcp_[A-Za-z0-9]{8}"]
    },
    {
      name: "Voiceflow key",
      kind: "voiceflow-key",
      source: "trufflehog",
      prefix: ["VF.", "VF.DM.", "VF.WS."],
      alphabet: "0-9a-fA-F",
      length: [24, 24],
      tail: "\\.[A-Za-z0-9]{16}(?![A-Za-z0-9])",
      inside: true,
      examples: ["VF.DM.[0-9a-f]{24}.[A-Za-z0-9]{16}"],
      counterexamples: ["VF.DM.[0-9a-f]{24}"]
    },
    {
      name: "Volcengine access key",
      kind: "volcengine-key",
      source: "github",
      prefix: ["AKLT"],
      alphabet: "A-Za-z0-9",
      length: [40, null],
      examples: ["AKLT[A-Za-z0-9]{40}"],
      counterexamples: ["AKLT[A-Za-z0-9]{13}"]
    },
    {
      name: "Voyage key",
      kind: "voyage-key",
      source: "trufflehog",
      prefix: ["pa-"],
      alphabet: "A-Za-z0-9_-",
      length: [40, null],
      check: "mixed",
      examples: ["pa-[A-Za-z0-9]{40}"],
      counterexamples: ["pa-[A-Za-z0-9_-]{13}"]
    },
    {
      name: "WakaTime key",
      kind: "wakatime-key",
      source: "betterleaks",
      prefix: ["waka_"],
      alphabet: "a-z0-9-",
      length: [36, null],
      examples: ["waka_[a-z0-9]{36}"],
      counterexamples: ["waka_[a-z0-9]{9}"]
    },
    {
      name: "Weights & Biases key",
      kind: "wandb-key",
      source: "betterleaks",
      prefix: ["wandb_v1_"],
      alphabet: "A-Za-z0-9_",
      length: [40, null],
      examples: ["wandb_v1_[A-Za-z0-9]{40}"],
      counterexamples: ["wandb_v1_[A-Za-z0-9_]{13}"]
    },
    {
      name: "WorkOS key",
      kind: "workos-key",
      source: "github",
      prefix: ["sk_a2V5X"],
      alphabet: "A-Za-z0-9",
      length: [40, null],
      examples: ["sk_a2V5X[A-Za-z0-9]{40}"],
      counterexamples: ["sk_a2V5X[A-Za-z0-9]{13}"]
    },
    {
      name: "WorkOS or Highnote key",
      kind: "workos-key",
      source: "betterleaks",
      prefix: ["sk_live_a2V5Xz", "sk_test_a2V5Xz"],
      alphabet: "A-Za-z0-9+/=",
      length: [60, 90],
      examples: ["sk_live_a2V5Xz[A-Za-z0-9]{69}"],
      counterexamples: ["sk_live_a2V5Xz[A-Za-z0-9]{3}"]
    },
    {
      name: "WunderGraph key",
      kind: "wundergraph-key",
      source: "trufflehog",
      prefix: ["cosmo_"],
      alphabet: "0-9a-f",
      length: 32,
      examples: ["cosmo_[0-9a-f]{32}"],
      counterexamples: ["cosmo_[0-9a-f]{10}"]
    },
    {
      name: "xAI key",
      kind: "xai-key",
      source: "betterleaks",
      prefix: ["xai-"],
      alphabet: "A-Za-z0-9_-",
      length: [70, null],
      examples: ["xai-[A-Za-z0-9]{70}"],
      counterexamples: ["xai-[A-Za-z0-9]{9}"]
    },
    {
      name: "Yandex API key",
      kind: "yandex-key",
      source: "gitleaks",
      prefix: ["AQVN"],
      alphabet: "A-Za-z0-9_-",
      length: [35, 38],
      examples: ["AQVN[A-Za-z0-9]{35}"],
      counterexamples: ["AQVN[A-Za-z0-9_-]{11}"]
    },
    {
      name: "Yandex AWS access key",
      kind: "yandex-key",
      source: "gitleaks",
      prefix: ["YCAJ"],
      alphabet: "A-Za-z0-9_-",
      length: 36,
      examples: ["YCAJ[A-Za-z0-9]{36}"],
      counterexamples: ["YCAJ[A-Za-z0-9_-]{12}"]
    },
    {
      name: "Yandex AWS secret key",
      kind: "yandex-key",
      source: "gitleaks",
      prefix: ["YC"],
      alphabet: "A-Za-z0-9_-",
      length: 38,
      check: "mixed",
      examples: ["YC[A-Za-z0-9]{38}"],
      counterexamples: ["YC[A-Za-z0-9_-]{12}"]
    },
    {
      name: "Yandex OAuth token",
      kind: "yandex-key",
      source: "github",
      prefix: ["y0_", "y1_", "y2_", "y3_"],
      alphabet: "A-Za-z0-9_-",
      length: [50, null],
      examples: ["y0_[A-Za-z0-9]{50}", "y1_[A-Za-z0-9]{50}"],
      counterexamples: ["y0_[A-Za-z0-9_-]{16}"]
    },
    {
      name: "Zuplo key",
      kind: "zuplo-key",
      source: "betterleaks",
      prefix: ["zpka_"],
      alphabet: "A-Za-z0-9_",
      length: [30, null],
      examples: ["zpka_[A-Za-z0-9]{30}"],
      counterexamples: ["zpka_[A-Za-z0-9_]{10}"]
    }
  ],
  unprefixed: [
    { source: "betterleaks", length: [42, 44], names: ["ibm", "ibm_cloud", "ibmcloud"] },
    { source: "betterleaks", length: 46, names: ["beamer"] },
    { source: "trufflehog", length: 14, names: ["checkvist", "ipinfo"] },
    { source: "trufflehog", length: 15, names: ["dropbox", "eagleeyenetworks"] },
    { source: "trufflehog", length: 16, names: [
      "autodesk",
      "coinlib",
      "confluent",
      "formcraft",
      "geoip",
      "linked-in",
      "linked_in",
      "linkedin",
      "maxmind",
      "metrilo",
      "nexmo",
      "ovh",
      "shutterstock"
    ] },
    { source: "trufflehog", length: 17, names: ["airtable"] },
    { source: "trufflehog", length: 20, names: [
      "alegra",
      "browserstack",
      "codacy",
      "companyhub",
      "easy-insight",
      "easyinsight",
      "eventbrite",
      "finicity",
      "finnhub",
      "freshdesk",
      "fxmarket",
      "getemail",
      "hiveage",
      "invoiceocean",
      "smartystreets",
      "statuscake",
      "timezoneapi",
      "uploadcare"
    ] },
    { source: "trufflehog", length: 21, names: ["carboninterface"] },
    { source: "trufflehog", length: 22, names: [
      "bugherd",
      "convertkit",
      "ethplorer",
      "freshworks",
      "mandrill",
      "proxycrawl",
      "ringcentral",
      "splunk"
    ] },
    { source: "trufflehog", length: 24, names: [
      "atlassian",
      "betterstack",
      "clickhelp",
      "etsy",
      "exchangerate",
      "flightapi",
      "happyscribe",
      "kucoin",
      "meta-api",
      "metaapi",
      "oanda",
      "replyio",
      "satismeter",
      "sendbird",
      "tableau",
      "textanywhere",
      "vercel"
    ] },
    { source: "trufflehog", length: [24, 26], names: ["clientary"] },
    { source: "trufflehog", length: [24, 27], names: ["cex.io", "cexio"] },
    { source: "trufflehog", length: 25, names: ["message-bird", "message_bird", "messagebird", "twitter", "visualcrossing"] },
    { source: "trufflehog", length: [25, 26], names: ["skybiometry"] },
    { source: "trufflehog", length: 26, names: ["getemails", "mattermost", "timecamp"] },
    { source: "trufflehog", length: 27, names: ["cloudinary", "glassnode", "hypertrack"] },
    { source: "trufflehog", length: 28, names: ["browshot", "fastforex", "pollsapi", "tradier"] },
    { source: "trufflehog", length: 29, names: ["bulksms", "userflow"] },
    { source: "trufflehog", length: 30, names: [
      "alibaba",
      "aliyun",
      "centralstation",
      "cloudimage",
      "nylas",
      "plaid",
      "scrapeowl",
      "textmagic",
      "twitch"
    ] },
    { source: "trufflehog", length: [30, 64], names: ["alibaba", "aliyun"] },
    { source: "trufflehog", length: 31, names: ["worldweather"] },
    { source: "trufflehog", length: 32, names: [
      "accuweather",
      "adafruit",
      "adobe",
      "adzuna",
      "airbrake",
      "alconost",
      "aletheiaapi",
      "algolia",
      "amplitude",
      "anypoint",
      "api2cart",
      "apiflash",
      "apilayer",
      "apimetrics",
      "artsy",
      "asana",
      "assemblyai",
      "atera",
      "autodesk",
      "autoklose",
      "aviationstack",
      "axonaut",
      "aylien",
      "billomat",
      "bitbar",
      "bittrex",
      "braintree",
      "bulbul",
      "calendarific",
      "censys",
      "chartmogul",
      "checklyhq",
      "clarifai",
      "clinchpad",
      "cloudplan",
      "cloze",
      "codecov",
      "coinlayer",
      "countrylayer",
      "currencyfreaks",
      "currencylayer",
      "currencyscoop",
      "datadog",
      "delighted",
      "detectify",
      "detectlanguage",
      "diffbot",
      "discord",
      "dnscheck",
      "docsearch",
      "droneci",
      "edamam",
      "exchangerates",
      "faceplusplus",
      "fastly",
      "financialmodelingprep",
      "finicity",
      "flickr",
      "flightstats",
      "fmfw",
      "formsite",
      "geoapify",
      "getresponse",
      "gtmetrix",
      "infura",
      "ip2location",
      "ipapi",
      "ipgeolocation",
      "ipifi",
      "ipquality",
      "ipstack",
      "jotform",
      "knapsackpro",
      "languagelayer",
      "lark",
      "larksuite",
      "lemlist",
      "linkpreview",
      "liveagent",
      "loyverse",
      "madkudu",
      "mailboxlayer",
      "mailerlite",
      "mailjet",
      "mapquest",
      "marketstack",
      "meaningcloud",
      "mediastack",
      "mixpanel",
      "moonclerk",
      "netcore",
      "new-york-times",
      "newsapi",
      "newyorktimes",
      "numverify",
      "nutritionix",
      "nytimes",
      "onfleet",
      "opencage",
      "opencagedata",
      "openuv",
      "openweather",
      "ovh",
      "pastebin",
      "paydirtapp",
      "paymongo",
      "pdflayer",
      "pdfshift",
      "pipedream",
      "podio",
      "positionstack",
      "postageapp",
      "private-ai",
      "private_ai",
      "privateai",
      "pyxis",
      "rawg",
      "rebrandly",
      "redhat",
      "route4me",
      "runrunit",
      "salescookie",
      "satismeter",
      "scraperapi",
      "scraperbox",
      "scrapestack",
      "scrapingant",
      "screenshotlayer",
      "securitytrails",
      "serpstack",
      "sherpadesk",
      "shodan",
      "shutterstock",
      "signupgenius",
      "simfin",
      "sinch",
      "siteleaf",
      "spoonacular",
      "statuspal",
      "sugester",
      "sumologic",
      "survicate",
      "taxjar",
      "testingbot",
      "the-odds-api",
      "theoddsapi",
      "thinkific",
      "thousandeyes",
      "ticketmaster",
      "tomtom",
      "travelpayouts",
      "trello",
      "twelvedata",
      "tyntec",
      "upcdatabase",
      "uplead",
      "upwave",
      "userstack",
      "vatlayer",
      "verimail",
      "veriphone",
      "vpnapi",
      "walkscore",
      "weatherbit",
      "weatherstack",
      "webscraping",
      "websitepulse",
      "yousign",
      "zerobounce",
      "zerotier",
      "zipapi"
    ] },
    { source: "trufflehog", length: 33, names: ["simvoly", "whoxy"] },
    { source: "trufflehog", length: 34, names: ["bscscan", "etherscan", "pixabay"] },
    { source: "trufflehog", length: 35, names: [
      "accuweather",
      "clearbit",
      "craftmypdf",
      "crates",
      "crates_io",
      "iexcloud",
      "stitchdata",
      "worldcoinindex"
    ] },
    { source: "trufflehog", length: 36, names: [
      "airvisual",
      "apacta",
      "appcues",
      "apptivo",
      "blazemeter",
      "bugsnag",
      "cloudmersive",
      "codecov",
      "coinapi",
      "deepai",
      "enablex",
      "graphhopper",
      "heroku",
      "holidayapi",
      "hubspot",
      "imagekit",
      "insightly",
      "kylas",
      "loggly",
      "logz.io",
      "logzio",
      "messagebird",
      "metabase",
      "mux",
      "nethunt",
      "opsgenie",
      "pinecone",
      "polymarket",
      "postmark",
      "saucelabs",
      "scaleway",
      "selectpdf",
      "sendbird",
      "snyk",
      "squarespace",
      "sslmate",
      "statuspage",
      "urlscan",
      "vouchery",
      "vultr",
      "wakatime",
      "zenserp"
    ] },
    { source: "trufflehog", length: 37, names: ["cloudflare", "coveralls"] },
    { source: "trufflehog", length: [37, 45], names: ["cloudflare"] },
    { source: "trufflehog", length: 39, names: ["apitemplate", "blitapp", "geocod", "rocketreach"] },
    { source: "trufflehog", length: 40, names: [
      "abyssale",
      "airbrake",
      "beebole",
      "bitly",
      "brandfetch",
      "buddyns",
      "buildkite",
      "buttercms",
      "calorieninja",
      "circleci",
      "cloudflare",
      "cloudsmith",
      "codeclimate",
      "cohere",
      "data.gov",
      "data_gov",
      "datadog",
      "datagov",
      "deepgram",
      "diggernaut",
      "docparser",
      "extractorapi",
      "geocodify",
      "getgeoapi",
      "getsandbox",
      "gitea",
      "gitter",
      "helpscout",
      "instamojo",
      "jumpcloud",
      "klipfolio",
      "launchdarkly",
      "loadmill",
      "lokalise",
      "magicbell",
      "meraki",
      "monkeylearn",
      "nicereply",
      "oopspam",
      "owlbot",
      "pandadoc",
      "parseur",
      "pipedrive",
      "plivo",
      "powrbot",
      "purestake",
      "qase",
      "sendbird",
      "shotstack",
      "simplesat",
      "sonarcloud",
      "sonarqube",
      "stockdata",
      "stormboard",
      "strava",
      "teamgate",
      "tiingo",
      "todoist",
      "versioneye",
      "wandb",
      "weightsandbiases",
      "worksnaps",
      "zendesk",
      "zenrows"
    ] },
    { source: "trufflehog", length: [40, 46], names: ["netlify"] },
    { source: "trufflehog", length: [40, 50], names: ["upstage"] },
    { source: "trufflehog", length: [40, 60], names: ["exoscale"] },
    { source: "trufflehog", length: [40, 80], names: ["lighton"] },
    { source: "trufflehog", length: 42, names: ["skrapp"] },
    { source: "trufflehog", length: 43, names: [
      "bitcoinaverage",
      "bitfinex",
      "cloudelements",
      "contentful",
      "gumroad",
      "gyazo",
      "hereapi",
      "hybiscus",
      "leadfeeder",
      "linenotify",
      "luno",
      "meistertask",
      "mindmeister",
      "newscatcher",
      "paralleldots",
      "storecove",
      "unsplash"
    ] },
    { source: "trufflehog", length: [43, 45], names: ["netlify"] },
    { source: "trufflehog", length: 44, names: ["geckoboard", "intrinio", "onepagecrm", "paymoapp", "ritekit", "typeform"] },
    { source: "trufflehog", length: 45, names: ["salesflare", "twitter"] },
    { source: "trufflehog", length: 48, names: [
      "clockify",
      "commercejs",
      "currentsapi",
      "foursquare",
      "neutrinoapi",
      "packagecloud",
      "restpack",
      "rownd",
      "sigopt",
      "technicalanalysisapi"
    ] },
    { source: "trufflehog", length: 50, names: [
      "caspio",
      "civo",
      "dronahq",
      "dwolla",
      "lunchmoney",
      "overloop",
      "rapidapi",
      "signalwire",
      "twitter"
    ] },
    { source: "trufflehog", length: 51, names: ["flowflu", "repairshopr"] },
    { source: "trufflehog", length: 52, names: ["dyspatch"] },
    { source: "trufflehog", length: 54, names: ["hypertrack"] },
    { source: "trufflehog", length: 60, names: [
      "clustdoc",
      "dareboost",
      "intercom",
      "serphouse",
      "sportsmonk",
      "webscraper",
      "workstack"
    ] },
    { source: "trufflehog", length: [60, 100], names: ["infomaniak"] },
    { source: "trufflehog", length: [60, 120], names: ["bitrise"] },
    { source: "trufflehog", length: 62, names: ["planyo", "wepay"] },
    { source: "trufflehog", length: 64, names: [
      "alienvault",
      "allsports",
      "ambee",
      "apimatic",
      "appsynergy",
      "artifactory",
      "besnappy",
      "bintray",
      "bitbucket",
      "boostnote",
      "campayn",
      "captaindata",
      "codequiry",
      "coinbase",
      "confluent",
      "cryptocompare",
      "currencycloud",
      "discord",
      "disqus",
      "freshbooks",
      "gumroad",
      "hasura",
      "html2pdf",
      "iconfinder",
      "ipinfodb",
      "jfrog",
      "keen_io",
      "keenio",
      "mavenlink",
      "mesibo",
      "meta-api",
      "metaapi",
      "moralis",
      "netsuite",
      "partnerstack",
      "peopledatalabs",
      "pinata",
      "prodpad",
      "qualaroo",
      "qubole",
      "reachmail",
      "scrutinizer",
      "sentry",
      "sheety",
      "teletype",
      "tmetric",
      "typetalk",
      "virustotal",
      "webex",
      "webflow",
      "wistia",
      "youneedabudget",
      "zipcodeapi"
    ] },
    { source: "trufflehog", length: 71, names: ["solarwinds"] },
    { source: "trufflehog", length: 72, names: ["imagga"] },
    { source: "trufflehog", length: 73, names: ["artifactory", "bintray", "jfrog", "stormglass"] },
    { source: "trufflehog", length: 75, names: ["omnisend", "snipcart"] },
    { source: "trufflehog", length: 76, names: ["jupiterone"] },
    { source: "trufflehog", length: 80, names: ["abuseipdb", "crowdin", "scrapingbee", "surveybot", "teamgate"] },
    { source: "trufflehog", length: 86, names: ["signaturit"] },
    { source: "trufflehog", length: 88, names: ["sirv", "surveysparrow"] },
    { source: "trufflehog", length: 128, names: ["chatfuel", "dynalist", "instamojo", "planview", "planviewleankit", "poloniex"] }
  ],
  rules: [
    {
      name: "Checkout.com key with a UUID",
      kind: "checkout-key",
      source: "betterleaks",
      anchors: ["sk_"],
      pattern: "<start>sk_(?:sbox_|test_)?<uuid>",
      check: "format",
      examples: ["sk_[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"],
      counterexamples: ["sk_[0-9a-f]{8}-[0-9a-f]{4}"]
    },
    {
      name: "eBay client secret",
      kind: "ebay-secret",
      source: "betterleaks",
      anchors: ["PRD-", "SBX-"],
      pattern: "<start>(?:PRD|SBX)-[0-9a-f]{8,12}(?:-[0-9a-f]{4,12}){4}(?![0-9a-f-])",
      check: "format",
      examples: ["PRD-[0-9a-f]{12}-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}", "PRD-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{7}"],
      counterexamples: ["PRD-[0-9a-f]{12}-[0-9a-f]{8}"]
    },
    {
      name: "Z.ai or Ollama key",
      kind: "zai-key",
      source: "betterleaks",
      anchors: [],
      pattern: "[0-9a-f]{32}\\.(?=[A-Za-z_-]{0,15}[0-9])[A-Za-z0-9_-]{16,24}(?![A-Za-z0-9_.-])",
      check: "format",
      examples: ["[0-9a-f]{32}.[a-z]{8}7[a-z0-9]{7}"],
      counterexamples: ["[0-9a-f]{32}.min.js"]
    },
    {
      name: "Workato token",
      kind: "workato-token",
      source: "betterleaks",
      anchors: ["wrka"],
      pattern: "<start>wrka(?:[a-z]{2})?-eyJ[A-Za-z0-9_-]{8,2000}\\.[A-Za-z0-9_-]{16,2000}\\.[A-Za-z0-9_-]{64,}",
      check: "format",
      examples: ["wrkaus-eyJ[A-Za-z0-9]{16}.[A-Za-z0-9]{24}.[A-Za-z0-9_-]{86}"],
      counterexamples: ["wrkaus-eyJ[A-Za-z0-9]{16}"]
    },
    {
      name: "Klaviyo key",
      kind: "klaviyo-key",
      source: "trufflehog",
      anchors: ["pk_"],
      pattern: "<start>pk_(?:[A-Za-z0-9]{6}_)?[0-9a-f]{34}(?![0-9a-f])",
      check: "format",
      examples: ["pk_[0-9a-f]{34}", "pk_[A-Za-z0-9]{6}_[0-9a-f]{34}"],
      counterexamples: ["pk_[0-9a-f]{12}"]
    },
    {
      name: "Square token",
      kind: "square-token",
      source: "trufflehog",
      anchors: ["sq0"],
      pattern: "<start>(?:sandbox-)?sq0[a-z]{3}-[A-Za-z0-9_-]{22,}",
      before: [8, 0],
      check: "token",
      examples: ["sq0csp-[A-Za-z0-9]{43}", "sandbox-sq0idb-[A-Za-z0-9]{22}"],
      counterexamples: ["sq0idp-[A-Za-z0-9]{8}"]
    },
    {
      name: "1Password secret key",
      kind: "1password-key",
      source: "gitleaks",
      anchors: ["A3-"],
      pattern: "<start>A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}(?![A-Z0-9])",
      check: "format",
      examples: ["A3-[A-Z0-9]{6}-[A-Z0-9]{11}-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}", "A3-[A-Z0-9]{6}-[A-Z0-9]{6}-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}"],
      counterexamples: ["A3-[A-Z0-9]{6}-[A-Z0-9]{3}-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}"]
    },
    {
      name: "Airtable token",
      kind: "airtable-token",
      source: "gitleaks",
      anchors: ["pat"],
      pattern: "(?=pat[A-Za-z0-9]{14}\\.)<start>pat[A-Za-z0-9]{14}\\.[0-9a-f]{64}(?![0-9a-f])",
      check: "format",
      examples: ["pat[A-Za-z0-9]{14}.[0-9a-f]{64}"],
      counterexamples: ["pat[A-Za-z0-9]{14}.[0-9a-f]{21}"]
    },
    {
      name: "Airtable OAuth token",
      kind: "airtable-token",
      source: "github",
      anchors: ["oaa"],
      pattern: "<start>oaa[A-Za-z0-9]{14}\\.v1\\.[A-Za-z0-9_-]{20,400}\\.[0-9a-f]{64}(?![0-9a-f])",
      check: "format",
      examples: ["oaa[A-Za-z0-9]{14}.v1.[A-Za-z0-9_-]{60}.[0-9a-f]{64}"],
      counterexamples: ["oaa[A-Za-z0-9]{14}.v1.[A-Za-z0-9_-]{60}.[0-9a-f]{21}"]
    },
    {
      name: "Akamai EdgeGrid credential",
      kind: "akamai-token",
      source: "akamai",
      anchors: ["akab-"],
      pattern: "<start>akab-[a-z0-9]{16}-[a-z0-9]{16}(?![a-z0-9])",
      check: "format",
      examples: ["akab-[a-z0-9]{16}-[a-z0-9]{16}"],
      counterexamples: ["akab-[a-z0-9]{5}-[a-z0-9]{16}"]
    },
    {
      name: "AWS access key ID",
      kind: "aws-access-key",
      source: "aws",
      anchors: ["AKIA", "ASIA", "ABIA", "ACCA", "A3T"],
      pattern: "<start>(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z0-9]{16}(?![A-Za-z0-9])",
      check: "any",
      examples: ["AKIA[A-Z2-7]{16}"],
      counterexamples: ["AKIAIOSFODNN7EXAMPLE"]
    },
    {
      name: "AWS MWS token",
      kind: "aws-mws-token",
      source: "detect-secrets",
      anchors: ["amzn.mws."],
      pattern: "<start>amzn\\.mws\\.<uuid>",
      check: "format",
      examples: ["amzn.mws.[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"],
      counterexamples: ["amzn.mws.[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}"]
    },
    {
      name: "Asana token",
      kind: "asana-token",
      source: "trufflehog",
      anchors: ["1/", "2/"],
      pattern: "<start>[12]/[0-9]{13,19}(?:/[0-9]{13,19})?:[0-9a-f]{32}(?![0-9a-f])",
      check: "format",
      examples: ["1/[0-9]{16}:[0-9a-f]{32}"],
      counterexamples: ["1/[0-9]{16}:[0-9a-f]{10}"]
    },
    {
      name: "Azure container registry key",
      kind: "azure-key",
      source: "microsoft",
      anchors: ["+ACR"],
      pattern: "<bare>[A-Za-z0-9+/]{42}\\+ACR[A-Za-z0-9]{6}(?![A-Za-z0-9+/=])",
      before: [42],
      check: "format",
      examples: ["[A-Za-z0-9+/]{42}+ACR[A-Za-z0-9]{6}"],
      counterexamples: ["[A-Za-z0-9+/]{14}+ACR[A-Za-z0-9]{6}"]
    },
    {
      name: "Azure service key",
      kind: "azure-key",
      source: "microsoft",
      anchors: ["+ASb", "+AEh", "+ARm", "AIoT"],
      pattern: "<bare>[A-Za-z0-9+/]{33}(?:\\+ASb|\\+AEh|\\+ARm|AIoT)[A-Za-z0-9+/]{5,6}=?(?![A-Za-z0-9+/=])",
      before: [33],
      check: "format",
      examples: ["[A-Za-z0-9+/]{33}+ASb[A-Za-z0-9]{6}=", "[A-Za-z0-9+/]{33}AIoT[A-Za-z0-9]{6}="],
      counterexamples: ["[A-Za-z0-9+/]{11}+ASb[A-Za-z0-9]{6}="]
    },
    {
      name: "Azure storage key",
      kind: "azure-key",
      source: "microsoft",
      anchors: ["+ASt"],
      pattern: "<bare>[A-Za-z0-9+/]{76}\\+ASt[A-Za-z0-9+/]{6}(?:==)?(?![A-Za-z0-9+/=])",
      before: [76],
      check: "format",
      examples: ["[A-Za-z0-9+/]{76}+ASt[A-Za-z0-9]{6}=="],
      counterexamples: ["[A-Za-z0-9+/]{25}+ASt[A-Za-z0-9]{6}=="]
    },
    {
      name: "Azure Cosmos DB key",
      kind: "azure-key",
      source: "microsoft",
      anchors: ["ACDb"],
      pattern: "<bare>[A-Za-z0-9+/]{76}ACDb[A-Za-z0-9+/]{6}(?:==)?(?![A-Za-z0-9+/=])",
      before: [76],
      check: "format",
      examples: ["[A-Za-z0-9+/]{76}ACDb[A-Za-z0-9]{6}=="],
      counterexamples: ["[A-Za-z0-9+/]{25}ACDb[A-Za-z0-9]{6}=="]
    },
    {
      name: "Azure function key",
      kind: "azure-key",
      source: "microsoft",
      anchors: ["AzFu"],
      pattern: "<bare>[A-Za-z0-9_-]{44}AzFu[A-Za-z0-9_-]{6}(?:==)?(?![A-Za-z0-9+/=])",
      before: [44],
      check: "format",
      examples: ["[A-Za-z0-9_-]{44}AzFu[A-Za-z0-9]{6}=="],
      counterexamples: ["[A-Za-z0-9_-]{14}AzFu[A-Za-z0-9]{6}=="]
    },
    {
      name: "Azure search key",
      kind: "azure-key",
      source: "microsoft",
      anchors: ["AzSe"],
      pattern: "<bare>[A-Za-z0-9]{42}AzSe[A-D][A-Za-z0-9]{5}(?![A-Za-z0-9+/=])",
      before: [42],
      check: "format",
      examples: ["[A-Za-z0-9]{42}AzSeA[A-Za-z0-9]{5}"],
      counterexamples: ["[A-Za-z0-9]{14}AzSeA[A-Za-z0-9]{5}"]
    },
    {
      name: "Azure Redis key",
      kind: "azure-key",
      source: "microsoft",
      anchors: ["AzCa"],
      pattern: "<bare>[A-Za-z0-9+/]{33}AzCa[A-Za-z0-9+/]{6}=?(?![A-Za-z0-9+/=])",
      before: [33],
      check: "format",
      examples: ["[A-Za-z0-9+/]{33}AzCa[A-Za-z0-9]{6}="],
      counterexamples: ["[A-Za-z0-9+/]{11}AzCa[A-Za-z0-9]{6}="]
    },
    {
      name: "Azure DevOps token",
      kind: "azure-devops-token",
      source: "microsoft",
      anchors: ["AZDO"],
      pattern: "<bare>[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}(?![A-Za-z0-9])",
      before: [76],
      check: "format",
      examples: ["[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}"],
      counterexamples: ["[A-Za-z0-9]{25}AZDO[A-Za-z0-9]{4}"]
    },
    {
      name: "Azure AI services key",
      kind: "azure-key",
      source: "microsoft",
      anchors: ["JQQJ99"],
      pattern: "<bare>[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{26}(?![A-Za-z0-9])",
      before: [52],
      check: "format",
      examples: ["[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{26}"],
      counterexamples: ["[A-Za-z0-9]{17}JQQJ99[A-Za-z0-9]{26}"]
    },
    {
      name: "Azure storage connection string",
      kind: "azure-key",
      source: "microsoft",
      anchors: ["AccountKey=", "SharedAccessKey="],
      pattern: "(?:AccountKey|SharedAccessKey)=([A-Za-z0-9+/]{43,86}={1,2})",
      check: "format",
      examples: ["AccountKey=[A-Za-z0-9+/]{86}=="],
      counterexamples: ["AccountKey=<key>"]
    },
    {
      name: "Azure client secret",
      kind: "azure-client-secret",
      source: "microsoft",
      anchors: ["Q~"],
      pattern: "<start>[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}",
      before: [4],
      check: "random",
      examples: ["[A-Za-z0-9]{3}8Q~[A-Za-z0-9_~.-]{34}"],
      counterexamples: ["[A-Za-z0-9]{3}8Q~[A-Za-z0-9_~.-]{11}"]
    },
    {
      name: "Braintree token",
      kind: "braintree-token",
      source: "braintree",
      anchors: ["access_token$"],
      pattern: "access_token\\$(?:production|sandbox)\\$[0-9a-z]{16}\\$[0-9a-f]{32}",
      check: "format",
      examples: ["access_token$production$[0-9a-z]{16}$[0-9a-f]{32}"],
      counterexamples: ["access_token$production$[0-9a-z]{16}$[0-9a-f]{10}"]
    },
    {
      name: "Close API key",
      kind: "close-key",
      source: "close",
      anchors: ["api_"],
      pattern: "<start>api_[A-Za-z0-9.]{45}(?![A-Za-z0-9])",
      check: "token",
      examples: ["api_[A-Za-z0-9]{22}.[A-Za-z0-9]{22}"],
      counterexamples: ["api_version.[a-z]{8}"]
    },
    {
      name: "Cloudflare origin CA key",
      kind: "cloudflare-token",
      source: "gitleaks",
      anchors: ["v1.0-"],
      pattern: "<start>v1\\.0-[A-Za-z0-9-]{171}(?![A-Za-z0-9-])",
      check: "format",
      examples: ["v1.0-[0-9a-f]{24}-[0-9a-f]{146}"],
      counterexamples: ["v1.0-[0-9a-f]{24}-[0-9a-f]{48}"]
    },
    {
      name: "MaxMind key",
      kind: "maxmind-key",
      source: "gitleaks",
      anchors: ["_mmk"],
      pattern: "<bare>[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk(?![A-Za-z0-9_])",
      before: [36],
      check: "format",
      examples: ["[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk"],
      counterexamples: ["[A-Za-z0-9]{6}_[A-Za-z0-9]{9}_mmk"]
    },
    {
      name: "New Relic license key",
      kind: "new-relic-key",
      source: "trufflehog",
      anchors: ["FFFFNRAL"],
      pattern: "<bare>[0-9a-f]{32}FFFFNRAL(?![A-Za-z0-9])",
      before: [32],
      check: "format",
      examples: ["[0-9a-f]{32}FFFFNRAL"],
      counterexamples: ["[0-9a-f]{10}FFFFNRAL"]
    },
    {
      name: "New Relic license key (EU)",
      kind: "new-relic-key",
      source: "trufflehog",
      anchors: ["NRAL", "FFFFNRAL", "-NRMA"],
      pattern: "<bare>(?:eu01xx)?[0-9a-f]{26,36}(?:FFFFNRAL|NRAL|-NRMA)(?![A-Za-z0-9])",
      before: [32, 34, 36, 40, 42, 46],
      check: "format",
      examples: ["eu01xx[0-9a-f]{30}NRAL"],
      counterexamples: ["eu01xx[0-9a-f]{10}NRAL"]
    },
    {
      name: "Salesforce session ID",
      kind: "salesforce-token",
      source: "trufflehog",
      anchors: ["00D"],
      pattern: "<start>00D[A-Za-z0-9]{12,15}![A-Za-z0-9._-]{80,}",
      check: "format",
      examples: ["00D[A-Za-z0-9]{12}![A-Za-z0-9._]{96}"],
      counterexamples: ["00D[A-Za-z0-9]{12}![A-Za-z0-9._]{32}"]
    },
    {
      name: "SendGrid key",
      kind: "sendgrid-key",
      source: "sendgrid",
      anchors: ["SG."],
      pattern: "SG\\.(?:[A-Za-z0-9_-]{16,32}\\.[A-Za-z0-9_-]{32,64}|[A-Za-z0-9_=.-]{66}(?![A-Za-z0-9_=.-]))",
      check: "format",
      examples: ["SG.[A-Za-z0-9_-]{22}.[A-Za-z0-9_-]{43}"],
      counterexamples: ["SG.[A-Za-z0-9_-]{22}.[A-Za-z0-9_-]{14}"]
    },
    {
      name: "Sourcegraph token",
      kind: "sourcegraph-token",
      source: "gitleaks",
      anchors: ["sgp_"],
      pattern: "<start>sgp_(?:(?:[0-9a-fA-F]{16}|local)_)?[0-9a-fA-F]{40}(?![0-9a-fA-F])",
      check: "format",
      examples: ["sgp_[0-9a-f]{16}_[0-9a-f]{40}", "sgp_[0-9a-f]{40}"],
      counterexamples: ["sgp_[0-9a-f]{16}_[0-9a-f]{13}"]
    },
    {
      name: "Stripe client secret",
      kind: "stripe-key",
      source: "stripe-intents",
      anchors: ["_secret_"],
      before: [27, 29],
      pattern: "<start>(?:pi|seti)_[A-Za-z0-9]{24}_secret_[A-Za-z0-9]{25,}",
      examples: ["pi_[A-Za-z0-9]{24}_secret_[A-Za-z0-9]{25}", "seti_[A-Za-z0-9]{24}_secret_[A-Za-z0-9]{31}"],
      counterexamples: ["pi_[A-Za-z0-9]{24}", "client_secret_[a-z]{25}"]
    },
    {
      name: "Terraform Cloud token",
      kind: "terraform-token",
      source: "gitleaks",
      anchors: [".atlasv1."],
      pattern: "<start>[A-Za-z0-9]{14}\\.atlasv1\\.[A-Za-z0-9_=-]{60,}",
      before: [14],
      check: "format",
      examples: ["[A-Za-z0-9]{14}.atlasv1.[A-Za-z0-9_-]{64}"],
      counterexamples: ["[A-Za-z0-9]{14}.atlasv1.[A-Za-z0-9_-]{21}"]
    },
    {
      name: "X bearer token",
      kind: "x-token",
      source: "x",
      anchors: [],
      pattern: "A{20,22}[A-Za-z0-9%+/=]{60,}",
      examples: ["AAAAAAAAAAAAAAAAAAAAA[A-Za-z0-9]{40}%3D[A-Za-z0-9]{45}"],
      counterexamples: ["AAAAAAAAAAAAAAAAAAAAA[A-Za-z0-9]{40}%3D[A-Za-z0-9]{15}"]
    },
    {
      name: "Vault token (before 1.10)",
      kind: "vault-token",
      source: "gitleaks",
      anchors: ["s."],
      pattern: "(?=s\\.[A-Za-z0-9]{24})<start>s\\.[A-Za-z0-9]{24}(?![A-Za-z0-9.(\\[])",
      check: "random",
      examples: ["s.[A-Za-z0-9]{24}"],
      counterexamples: ["s.[a-z]{24}"]
    },
    {
      name: "Infisical token",
      kind: "infisical-token",
      source: "trufflehog",
      anchors: ["st."],
      pattern: "<start>st\\.[0-9a-f]{24}\\.[0-9a-f]{32}\\.[0-9a-f]{32}(?![0-9a-f])",
      check: "format",
      examples: ["st.[0-9a-f]{24}.[0-9a-f]{32}.[0-9a-f]{32}"],
      counterexamples: ["st.[0-9a-f]{24}.[0-9a-f]{10}.[0-9a-f]{32}"]
    },
    {
      name: "Zoho token",
      kind: "zoho-token",
      source: "zoho",
      anchors: ["1000."],
      pattern: "<start>1000\\.[0-9a-f]{32}\\.[0-9a-f]{32}(?![0-9a-f])",
      check: "format",
      examples: ["1000.[0-9a-f]{32}.[0-9a-f]{32}"],
      counterexamples: ["1000.[0-9a-f]{10}.[0-9a-f]{32}"]
    },
    {
      name: "Yandex IAM token",
      kind: "yandex-key",
      source: "gitleaks",
      anchors: ["t1."],
      pattern: "<start>t1\\.[A-Za-z0-9_-]{20,700}={0,2}\\.[A-Za-z0-9_-]{80,100}={0,2}",
      check: "format",
      examples: ["t1.[A-Za-z0-9_-]{60}.[A-Za-z0-9_-]{86}"],
      counterexamples: ["t1.[A-Za-z0-9_-]{60}.[A-Za-z0-9_-]{28}"]
    },
    {
      name: "Private key in base64",
      kind: "private-key",
      source: "rfc7468",
      anchors: ["LS0tLS1CRUdJTi"],
      pattern: "LS0tLS1CRUdJTi<encoded>[A-Za-z0-9+/_-]{40,}={0,2}",
      examples: ["LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t[A-Za-z0-9]{60}"],
      counterexamples: ["LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t[A-Za-z0-9]{20}"]
    },
    {
      name: "JSON web token",
      kind: "jwt",
      source: "rfc7519",
      anchors: ["eyJ", "ewogIC", "ewoid"],
      pattern: "<start>(?:eyJ|ewogIC|ewoid)[A-Za-z0-9_-]{8,2000}={0,2}\\.[A-Za-z0-9_-]{8,16000}={0,2}\\.[A-Za-z0-9_-]{10,}(?:\\.[A-Za-z0-9_-]{10,}){0,2}",
      examples: ["eyJ[A-Za-z0-9_-]{20}.eyJ[A-Za-z0-9_-]{40}.[A-Za-z0-9_-]{43}"],
      counterexamples: ["eyJ[a-z]{8}.eyJ"]
    },
    {
      name: "Password in an address",
      kind: "connection-password",
      source: "rfc3986",
      anchors: ["://"],
      pattern: `://(?![^ \\t\\n\\r/"'<>\\\\]{0,280}://)[^ \\t\\n\\r:/?#@"'<>\\\\\\[]{0,80}:([^ \\t\\n\\r/"'<>\\\\\\]]{1,200})@[A-Za-z0-9\\[]`,
      check: "any",
      examples: ["postgres://app:[A-Za-z0-9]{4}![A-Za-z0-9]{8}7@db:5432/shop"],
      counterexamples: ["redis://:${REDIS_PASSWORD}@redis:6379/0"]
    },
    {
      name: "Token in an address",
      kind: "connection-password",
      source: "rfc3986",
      anchors: ["://"],
      pattern: "://([A-Za-z0-9_-]{40,})@[A-Za-z0-9]",
      check: "random",
      examples: ["https://[A-Za-z0-9]{40}@git.h.org/shop.git"],
      counterexamples: ["https://github.com@host"]
    },
    {
      name: "Answer to aws configure",
      kind: "aws-secret-key",
      source: "aws",
      anchors: ["secret access key ["],
      pattern: "secret access key \\[[^\\]\\n]{0,40}\\]:[ ]?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])",
      ignoreCase: true,
      check: "random",
      examples: ["AWS Secret Access Key [None]: [A-Za-z0-9/+]{40}"],
      counterexamples: ["AWS Secret Access Key [None]: "]
    },
    {
      name: "Jira or Confluence data center token",
      kind: "atlassian-token",
      source: "atlassian",
      anchors: [],
      pattern: "[MNO][DTjz][AEIMQUYcgk][w-z0-5][A-Za-z0-9+/]{40}(?![A-Za-z0-9+/=_-])",
      check: "scrambled",
      examples: ["NDA5[A-Za-z0-9+/]{40}"],
      counterexamples: ["NDA5[A-Za-z0-9+/]{20}"]
    },
    {
      name: "Mailgun key with its id",
      kind: "mailgun-key",
      source: "mailgun",
      anchors: ["0-", "1-", "2-", "3-", "4-", "5-", "6-", "7-", "8-", "9-", "a-", "b-", "c-", "d-", "e-", "f-"],
      pattern: "[0-9a-f](?<=(?<![0-9a-f])[0-9a-f]{32})-[0-9a-f]{8}-[0-9a-f]{8}(?![0-9a-f-])",
      extend: "A-Za-z0-9_-",
      check: "random",
      examples: ["[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}"],
      counterexamples: ["[0-9a-f]{32}-[0-9a-f]{8}"]
    },
    {
      name: "Mailchimp key",
      kind: "mailchimp-key",
      source: "mailchimp",
      anchors: ["-us"],
      pattern: "(?<=(?<![0-9a-f])[0-9a-f]{32})-us[0-9]{1,2}(?![A-Za-z0-9])",
      extend: "A-Za-z0-9_-",
      check: "format",
      examples: ["[0-9a-f]{32}-us12"],
      counterexamples: ["[0-9a-f]{30}-us12"]
    },
    {
      name: "Telegram bot token",
      kind: "telegram-token",
      source: "telegram",
      anchors: [":A"],
      pattern: "(?<=[0-9]{6}):A[A-Za-z0-9_-]{34}(?![A-Za-z0-9_-])",
      extend: "0-9",
      check: "random",
      examples: ["[1-9]{10}:AA[A-Za-z0-9_-]{33}", "/bot[1-9]{9}:AA[A-Za-z0-9_-]{33}/getMe"],
      counterexamples: ["[1-9]{5}:AA[A-Za-z0-9_-]{33}"]
    },
    {
      name: "Facebook app token",
      kind: "facebook-token",
      source: "facebook",
      anchors: ["|"],
      pattern: "\\|(?=[A-Za-z0-9_-]{27})(?:(?<=(?<![0-9A-Za-z])[0-9]{15}\\|)|(?<=(?<![0-9A-Za-z])[0-9]{16}\\|))[A-Za-z0-9_-]{27,40}(?![A-Za-z0-9_-])",
      extend: "0-9",
      check: "random",
      examples: ["[1-9]{15}|[A-Za-z0-9_-]{27}"],
      counterexamples: ["[1-9]{15}|[A-Za-z0-9_-]{20}"]
    },
    {
      name: "Discord bot token",
      kind: "discord-token",
      source: "discord",
      anchors: [],
      pattern: "(?:[A-Za-z0-9_-]{0,64}[+/]){0,8}([MNO][A-Za-z0-9_-]{23,27}\\.[A-Za-z0-9_-]{6}\\.[A-Za-z0-9_-]{27,})",
      extend: "A-Za-z0-9_-",
      check: "random",
      examples: ["M[A-Za-z0-9]{25}.[A-Za-z0-9]{6}.[A-Za-z0-9_-]{38}"],
      counterexamples: ["M[A-Za-z0-9]{25}.[A-Za-z0-9]{6}"]
    },
    {
      name: "Discord webhook",
      kind: "discord-webhook",
      source: "discord",
      anchors: ["https://discord", "https://canary.discord", "https://ptb.discord"],
      pattern: "https://(?:[a-z]{2,10}\\.)?discord(?:app)?\\.com/api/webhooks/[0-9]{16,20}/[A-Za-z0-9_-]{60,}",
      check: "format",
      examples: ["https://discord.com/api/webhooks/[1-9]{18}/[A-Za-z0-9_-]{68}"],
      counterexamples: ["https://discord.com/api/webhooks/"]
    },
    {
      name: "Slack webhook",
      kind: "slack-webhook",
      source: "slack",
      anchors: ["hooks.slack"],
      pattern: "(?:https://)?hooks\\.slack(?:-gov)?\\.com/(?:services|workflows|triggers)/[A-Za-z0-9_/+-]{20,}",
      before: [8, 0],
      check: "format",
      examples: ["https://hooks.slack.com/services/T[A-Z0-9]{9}/B[A-Z0-9]{10}/[A-Za-z0-9]{24}"],
      counterexamples: ["https://hooks.slack.com/services/T00/B00/XXX"]
    },
    {
      name: "Microsoft Teams webhook",
      kind: "teams-webhook",
      source: "microsoft",
      anchors: [".webhook.office.com/", ".environment.api.powerplatform.com"],
      pattern: "\\.webhook\\.office\\.com/webhookb2/[A-Za-z0-9@/_-]{80,300}|\\.environment\\.api\\.powerplatform\\.com(?::[0-9]{1,5})?/powerautomate/automations/direct/workflows/[^ \\t\\n\\r\"'<>`]{40,400}",
      extend: "A-Za-z0-9_-",
      examples: ["https://acme.webhook.office.com/webhookb2/[0-9a-f]{36}@[0-9a-f]{36}/IncomingWebhook/[0-9a-f]{32}/[0-9a-f]{36}"],
      counterexamples: ["https://acme.webhook.office.com/webhookb2/"]
    },
    {
      name: "Zapier webhook",
      kind: "zapier-webhook",
      source: "zapier",
      anchors: ["https://hooks.zapier.com/"],
      pattern: "https://hooks\\.zapier\\.com/hooks/catch/[A-Za-z0-9/]{10,40}",
      examples: ["https://hooks.zapier.com/hooks/catch/[1-9]{7}/[a-z0-9]{7}"],
      counterexamples: ["https://hooks.zapier.com/hooks/catch/"]
    },
    {
      name: "Tines webhook",
      kind: "tines-webhook",
      source: "trufflehog",
      anchors: [".tines.com/webhook/"],
      pattern: "\\.tines\\.(?:com|io)/webhook/[a-z0-9]{16,64}/[a-z0-9]{16,64}",
      extend: "A-Za-z0-9_-",
      examples: ["https://x.tines.com/webhook/[a-z0-9]{32}/[a-z0-9]{32}"],
      counterexamples: ["https://x.tines.com/webhook/example"]
    },
    {
      name: "Make webhook",
      kind: "make-webhook",
      source: "trufflehog",
      anchors: ["https://hook."],
      pattern: "https://hook\\.(?:[a-z]{2}[0-9]\\.)?(?:make|integromat)\\.com/([a-z0-9]{20,})",
      check: "random",
      examples: ["https://hook.eu1.make.com/[a-z0-9]{32}"],
      counterexamples: ["https://hook.eu1.make.com/"]
    },
    {
      name: "Google Chat webhook",
      kind: "google-chat-webhook",
      source: "google",
      anchors: ["chat.googleapis.com/v1/spaces/"],
      pattern: "chat\\.googleapis\\.com/v1/spaces/[A-Za-z0-9_-]{6,40}/messages\\?key=[A-Za-z0-9_-]{20,}(?:&token=[A-Za-z0-9_%=-]{20,})?",
      extend: "A-Za-z0-9_-",
      examples: ["https://chat.googleapis.com/v1/spaces/AAAA[A-Za-z0-9]{7}/messages?key=AIza[A-Za-z0-9_-]{35}&token=[A-Za-z0-9_-]{43}"],
      counterexamples: ["https://chat.googleapis.com/v1/spaces/AAAA/messages"]
    },
    {
      name: "Authorization header",
      kind: "authorization",
      source: "rfc9110",
      anchors: ["authorization"],
      pattern: `authorization(?:<assign>\\\\{0,3}["'\`]?[ \\t]{0,2}|\\\\{0,3}["'],?[ \\t]{0,4}\\\\{0,3}["'])(?:(?:bearer|basic|token|digest|apikey|api-key|bot|negotiate|ssws)[ \\t]+)?([A-Za-z0-9_.+/=~:$!-]{12,})`,
      ignoreCase: true,
      check: "password",
      examples: ["Authorization: Bearer [A-Za-z0-9]{40}", "authorization: Basic [A-Za-z0-9]{30}Q=="],
      counterexamples: ["Authorization: Bearer <your-token>"]
    },
    {
      name: "Bearer token",
      kind: "authorization",
      source: "rfc6750",
      anchors: ["bearer"],
      pattern: "<start>bearer[ \\t]{1,8}([A-Za-z0-9_.+/=~-]{16,})",
      ignoreCase: true,
      check: "random",
      examples: ["bearer [A-Za-z0-9]{40}"],
      counterexamples: ["bearer token"]
    },
    {
      name: "Login of curl",
      kind: "password",
      source: "curl",
      anchors: [" -", "\t-"],
      pattern: `[ \\t]-[A-Za-z-]{0,4}u(?:ser)?[ =]?\\\\{0,2}["']?[^ \\t\\n\\r:"']{1,64}:([^ \\t\\n\\r"'\\\\]{8,200})`,
      after: ["curl", "http", "wget"],
      check: "password",
      examples: ["curl -su ada:[A-Za-z0-9]{4}![A-Za-z0-9]{8}7 https://h", "curl --user ada:[A-Za-z0-9]{4}![A-Za-z0-9]{8}7 https://h"],
      counterexamples: ["curl -u user:password https://h"]
    },
    {
      name: "Password of wget",
      kind: "password",
      source: "wget",
      anchors: ["--password", "--http-password"],
      pattern: `--(?:http-)?password[ =]\\\\{0,2}["']?([^ \\t\\n\\r"'\\\\]{8,200})`,
      after: ["curl", "http", "wget"],
      check: "password",
      examples: ["wget --user=ada --password=[A-Za-z0-9]{4}![A-Za-z0-9]{8}7 https://h"],
      counterexamples: ["wget --password=$PASSWORD https://h"]
    },
    {
      name: "Password of mysql",
      kind: "password",
      source: "mysql",
      anchors: [" -p", "\t-p"],
      pattern: "[ \\t]-p<argument>",
      after: ["mysql", "mariadb"],
      check: "password",
      examples: ["mysql -u root -p[A-Za-z0-9]{4}![A-Za-z0-9]{8}7 shop"],
      counterexamples: ['mysql -u root -p"$PASSWORD" shop']
    },
    {
      name: "Password of a command",
      kind: "password",
      source: "manuals",
      anchors: [" -p", "\t-p", " -w ", " -a ", " -P ", " -W "],
      pattern: "[ \\t]-[pwaPW][ \\t]?<argument>",
      after: ["sshpass", "docker login", "podman login", "oras login", "az login", "oc login", "registry login", "mongosh", "mongo", "mongodump", "mongorestore", "ldapsearch", "ldapmodify", "ldapadd", "redis-cli", "sqlcmd", "psexec", "smbclient", "rdesktop", "xfreerdp"],
      check: "password",
      examples: ["sshpass -p [A-Za-z0-9]{4}![A-Za-z0-9]{8}7 ssh ada@h", "ldapsearch -x -D cn=admin -w [A-Za-z0-9]{4}![A-Za-z0-9]{8}7", "redis-cli -a [A-Za-z0-9]{4}![A-Za-z0-9]{8}7 ping", "mongosh mongodb://db -u app -p [A-Za-z0-9]{4}![A-Za-z0-9]{8}7"],
      counterexamples: ["docker login -u ada -p $TOKEN"]
    },
    {
      name: "Password of sqlplus",
      kind: "password",
      source: "oracle",
      anchors: ["sqlplus", "rman target"],
      pattern: `(?:sqlplus|rman target)(?:[ \\t]-[a-z]{1,8}){0,3}[ \\t]{1,4}["']?[A-Za-z0-9_.]{1,64}/([^ \\t\\n\\r"'@/]{6,128})@`,
      check: "password",
      examples: ["sqlplus app/[A-Za-z0-9]{18}7@db:1521/ORCL"],
      counterexamples: ["sqlplus app@db"]
    },
    {
      name: "Secret piped into a command",
      kind: "secret",
      source: "manuals",
      anchors: ["echo ", "printf "],
      pattern: `(?:echo|printf)(?:[ \\t]-[neE]{1,3})?[ \\t]{1,4}(?:['"]?%s['"]?[ \\t])?<quote>?(?:[A-Za-z0-9_.-]{1,32}:(?=[^|\\n]{1,200}chpasswd))?([^ \\t\\n\\r"'\`\\\\|<>$]{8,200})<quote>?[ \\t]{0,4}\\|[ \\t]{0,4}(?:sudo[ \\t])?(?:npx[ \\t])?(?:wrangler[ \\t](?:pages[ \\t])?secret|gh[ \\t](?:secret|auth)|vercel[ \\t]env|docker[ \\t](?:login|secret)|podman[ \\t](?:login|secret)|fly(?:ctl)?[ \\t]secrets|kubectl[ \\t]create[ \\t]secret|vault[ \\t]|passwd|chpasswd|sudo[ \\t]-S|helm[ \\t]registry|pass[ \\t]insert|supabase[ \\t]secrets|glab[ \\t]auth|firebase|gcloud[ \\t]secrets|heroku)`,
      check: "password",
      examples: ["echo [A-Za-z0-9]{18}7 | wrangler secret put API_TOKEN", "echo 'ada:[A-Za-z0-9]{18}7' | chpasswd"],
      counterexamples: ["echo hello | gh secret set X", "echo $TOKEN | gh auth login --with-token"]
    },
    {
      name: "Password of a SQL user",
      kind: "password",
      source: "mysql",
      anchors: ["identified"],
      pattern: `identified[ \\t](?:with[ \\t][a-z0-9_"']{1,40}[ \\t])?by[ \\t]n?["'](<literal>)`,
      ignoreCase: true,
      check: "password",
      examples: ["CREATE USER app IDENTIFIED BY '[A-Za-z0-9]{4}![A-Za-z0-9]{8}7'"],
      counterexamples: ["CREATE USER app IDENTIFIED BY 'password'"]
    },
    {
      name: "Password of a SQL role",
      kind: "password",
      source: "postgresql",
      anchors: ["password"],
      pattern: `(?<=[ \\t\\n])password(?:[ \\t]=)?[ \\t]n?["'](<literal>)`,
      after: ["user", "role", "login", "with", "encrypted"],
      ignoreCase: true,
      check: "password",
      examples: ["ALTER USER app WITH PASSWORD '[A-Za-z0-9]{4}![A-Za-z0-9]{8}7'"],
      counterexamples: ["ALTER USER app WITH PASSWORD '${PASSWORD}'"]
    },
    {
      name: "Password in .netrc",
      kind: "password",
      source: "netrc",
      anchors: ["machine"],
      pattern: "<start>machine[ \\t\\n]{1,40}[^ \\t\\n\\r]{1,100}[ \\t\\n]{1,40}login[ \\t\\n]{1,40}[^ \\t\\n\\r]{1,100}[ \\t\\n]{1,40}password[ \\t\\n]{1,40}([^ \\t\\n\\r]{4,200})",
      check: "any",
      examples: [`machine git.h.org
  login ada
  password [A-Za-z0-9]{4}![A-Za-z0-9]{8}7`],
      counterexamples: ["machine git.h.org login ada password"]
    },
    {
      name: "Password in .pgpass",
      kind: "password",
      source: "postgresql",
      anchors: [":5432:", ":5433:", ":6432:", ":*:"],
      pattern: `:(?:5432|5433|6432|\\*):[^:\\n ]{1,64}:[^:\\n ]{1,64}:([^ \\t\\n\\r:"']{6,128})`,
      check: "any",
      examples: ["db.internal.net:5432:shop:app:[A-Za-z0-9]{4}![A-Za-z0-9]{8}7"],
      counterexamples: ["127.0.0.1:5432:*:*:$PGPASSWORD"]
    },
    {
      name: "Session cookie",
      kind: "cookie",
      source: "rfc6265",
      anchors: ["sess", "sid", "auth", "token", "jwt", "csrf", "xsrf", "remember"],
      pattern: `(?:sess|sid|auth|token|jwt|csrf|xsrf|remember)[A-Za-z0-9_.-]{0,24}=([^ \\t\\n\\r;,"'\\\\]{16,512})`,
      after: ["cookie"],
      ignoreCase: true,
      check: "random",
      examples: ["Cookie: theme=dark; sessionid=[A-Za-z0-9]{32}"],
      counterexamples: ["Set-Cookie: theme=dark"]
    },
    {
      name: "Cookie of curl",
      kind: "cookie",
      source: "curl",
      anchors: ["-b ", "-b'", '-b"', "--cookie"],
      pattern: `(?:-b|--cookie)[ =]?\\\\{0,2}["']?(?:[A-Za-z0-9_.-]{1,64}=[^ ;"'\\n]{0,200};[ ]?){0,4}[A-Za-z0-9_.-]{1,64}=([^ \\t\\n\\r;,"'\\\\]{16,512})`,
      after: ["curl", "http", "wget"],
      check: "random",
      examples: ["curl https://h --cookie 'remember=[A-Za-z0-9]{32}'"],
      counterexamples: ["curl -b cookies.txt https://h"]
    },
    {
      name: "Signature of a link",
      kind: "signature",
      source: "aws",
      anchors: ["signature=", "sig=", "security-token="],
      pattern: "(?<=[?&;])(?:x-amz-signature|x-goog-signature|x-amz-security-token|signature|sig)=([A-Za-z0-9%+/=_-]{20,})|(?<=x-amz-)(?:signature|security-token)=([A-Za-z0-9%+/=_-]{20,})|(?<=x-goog-)signature=([A-Za-z0-9%+/=_-]{20,})",
      ignoreCase: true,
      check: "random",
      examples: ["https://h/a?X-Amz-Signature=[0-9a-f]{64}", "https://h/a?sv=1&sig=[A-Za-z0-9]{42}%3D"],
      counterexamples: ["https://h/a?sv=1&sig=%SIGNATURE%"]
    },
    {
      name: "Key in a query",
      kind: "api-key",
      source: "rfc3986",
      anchors: ["key=", "api=", "code=", "password=", "pass=", "pwd=", "apikey="],
      pattern: "(?:(?<=[?&])|(?<=[?&]api))(?:key|api|code|apikey|password|pass|pwd)=([^ \\t\\n\\r&\"'<>#`\\\\]{16,512})",
      ignoreCase: true,
      check: "random",
      examples: ["https://h/v1?from=1&key=[A-Za-z0-9]{32}&to=2"],
      counterexamples: ["https://h/v1?key=value"]
    },
    {
      name: "Okta token",
      kind: "okta-token",
      source: "okta",
      anchors: ["SSWS"],
      pattern: "SSWS[ \\t]{1,8}(00[A-Za-z0-9_-]{40})",
      check: "format",
      examples: ["SSWS 00[A-Za-z0-9_-]{40}"],
      counterexamples: ["SSWS {token}"]
    },
    {
      name: "Login of requests",
      kind: "password",
      source: "requests",
      anchors: ["auth=(", "auth = ("],
      pattern: `auth[ ]?=[ ]?\\(["'][^"'\\n]{1,64}["'],[ ]{0,4}["'](<literal>)`,
      check: "password",
      examples: ['requests.get(u, auth=("ada", "[A-Za-z0-9]{4}![A-Za-z0-9]{8}7"))'],
      counterexamples: ['requests.get(u, auth=("user", "password"))']
    },
    {
      name: "Private part of a JSON web key",
      kind: "jwk",
      source: "rfc7517",
      anchors: ['"d"', "\\\"d\\\""],
      pattern: '\\\\{0,3}"d\\\\{0,3}"[ \\t]{0,4}:[ \\t]{0,4}\\\\{0,3}"([A-Za-z0-9_-]{43,})\\\\{0,3}"',
      check: "random",
      examples: ['{"kty":"EC","crv":"P-256","d":"[A-Za-z0-9_-]{43}"}'],
      counterexamples: ['{"d": "M0 0L10 10"}']
    },
    {
      name: "First password of mysql",
      kind: "password",
      source: "mysql",
      anchors: ["password is generated for "],
      pattern: "password is generated for [^ \\t\\n]{1,80}:[ \\t]{1,4}([^ \\t\\n\\r]{8,128})",
      check: "password",
      examples: ["A temporary password is generated for root@localhost: [A-Za-z0-9]{4}![A-Za-z0-9]{8}7"],
      counterexamples: ["A temporary password is generated for root@localhost: <password>"]
    },
    {
      name: "First password of Jenkins",
      kind: "password",
      source: "jenkins",
      anchors: ["proceed to installation"],
      pattern: "proceed to installation:[ \\t\\n\\r]{1,12}([0-9a-f]{32})(?![0-9a-f])",
      examples: [`Please use the following password to proceed to installation:

[0-9a-f]{32}
`],
      counterexamples: [`Please use the following password to proceed to installation:

`]
    },
    {
      name: "Login with its password",
      kind: "password",
      source: "writing",
      anchors: ["creds:", "credentials:", "creds=", "login:", "login as "],
      pattern: "(?:creds|credentials|login)(?:[:=]|[ ]as)[ \\t]{0,4}[\"'`]?[A-Za-z0-9_.@-]{1,64}[:/]([^ \\t\\n\\r\"'`]{8,128})",
      ignoreCase: true,
      check: "scrambled",
      examples: ["creds: ada:[A-Za-z0-9]{4}![A-Za-z0-9]{8}7"],
      counterexamples: ["login: github.com/org"]
    },
    {
      name: "Token of Composer",
      kind: "token",
      source: "composer",
      anchors: ["github-oauth", "gitlab-token", "http-basic", '"bearer"'],
      pattern: '(?:github-oauth|gitlab-token|http-basic|bearer)\\\\{0,3}"[ \\t]{0,4}:[ \\t\\n]{0,40}\\{[ \\t\\n]{0,40}\\\\{0,3}"[^"\\n]{1,100}"[ \\t]{0,4}:[ \\t]{0,4}\\\\{0,3}"([A-Za-z0-9_.-]{16,200})',
      check: "random",
      examples: ['{"github-oauth": {"github.com": "[0-9a-f]{40}"}}'],
      counterexamples: ['{"github-oauth": {"github.com": "your-token"}}']
    },
    {
      name: "Value before its name",
      kind: "password",
      source: "writing",
      anchors: [" is the ", " is my ", " is our ", " is your ", "` is the ", '" is the '],
      pattern: "()[\"'`*]{0,2} is (?:the|my|our|your) (?:[A-Za-z]{1,12} ){0,2}(?:password|passphrase|token|secret|api key|key)(?![A-Za-z])",
      extend: "A-Za-z0-9_-",
      check: "scrambled",
      examples: ["[A-Za-z0-9]{28}7 is the password"],
      counterexamples: ["sha256 is the key"]
    },
    {
      name: "Secret in a sentence",
      kind: "secret",
      source: "writing",
      reach: 100,
      anchors: ["secret", "secrets", "token", "tokens", "passwd", "password", "passphrase", "credential", "credentials", "key", "keys", "jwt", "webhook", "auth"],
      next: ` 	
:`,
      pattern: "(?<![A-Za-z0-9+/])(?:passw(?:or)?d|passphrase|secrets?|tokens?|credentials?|(?<!public)(?<!public[ _-])keys?|jwt|webhook|auth)(?![A-Za-z0-9_-])(?:[ \\t]{1,2}[a-z]{1,12}(?![a-z])){0,3}:?[ \\t\\n]{1,4}(?=[^ \\t\\n]{16})<unassigned>[\"'`(*]{0,3}<start><address>(<spoken>{0,511}(?:<sign><spoken>{0,64}){0,16}<last>)",
      ignoreCase: true,
      check: "strong",
      examples: ["The webhook secret is\n`[A-Za-z0-9]{43}`"],
      counterexamples: ["Pass the key utf8mb4_0900_ai_ci to it.", "The auth flow in `ieee80211_tx_dequeue` is new."]
    },
    {
      name: "Password in a sentence",
      kind: "password",
      source: "writing",
      reach: 100,
      anchors: ["passwd", "password", "passphrase", "passcode"],
      next: ` 	
:*`,
      pattern: "(?<![A-Za-z0-9+/])(?:passw(?:or)?d|passphrase|passcode)(?:[ \\t]{1,2}[a-z]{1,12}(?![a-z])){0,3}(?:(?:\\*{0,2}:\\*{0,2}|[ \\t]is|[ \\t]to)(?:[ \\t]{1,4}|[ \\t\\n]{1,4}<unassigned>)(?=[^ \\t\\n]{8})(?:[\"'`(*]{1,3}<chosen>[\"'`)*]|<chosen>(?![A-Za-z0-9]))|(?:[ \\t]{1,4}(?=[\"'`(*])|[ \\t\\n]{1,4}(?=[\"'`(*])<unassigned>)(?=[^ \\t\\n]{8})[\"'`(*]{1,3}<chosen>[\"'`)*])",
      ignoreCase: true,
      check: "password",
      examples: ["I set the password to `[A-Za-z0-9]{4}![A-Za-z0-9]{8}7`", "The password is [A-Za-z0-9]{4}![A-Za-z0-9]{8}7."],
      counterexamples: ["I set the password to `null`", "The password is generated."]
    },
    {
      name: "Password after its name",
      kind: "password",
      source: "writing",
      reach: 100,
      anchors: ["pwd ", "pass ", "passwd ", "pw ", "password "],
      pattern: "<start>(?:pwd|pass|passwd|pw|password)[ \\t]{1,4}([A-Za-z0-9_+/=.~!#%*-]{12,128})(?![A-Za-z0-9_/(.-])",
      ignoreCase: true,
      check: "scrambled",
      examples: ["PASS [A-Za-z0-9]{18}7", "pwd [A-Za-z0-9]{14}7"],
      counterexamples: ["pass TestParse_Empty"]
    },
    {
      name: "npm token within a word, by its check digits",
      kind: "npm-token",
      source: "npm",
      anchors: ["npm_"],
      pattern: "npm_[A-Za-z0-9]{36}",
      check: "checked",
      examples: ["OLD_npm_[A-Za-z0-9]{30}<check>"],
      counterexamples: ["OLD_npm_[a-z]{36}"]
    },
    {
      name: "GitHub or npm token without its prefix, by its check digits",
      kind: "token",
      source: "github-digits",
      anchors: [],
      pattern: "[A-Za-z0-9]{36}(?![A-Za-z0-9+/=_-])",
      check: "checked",
      examples: ["[A-Za-z0-9]{30}<check>"],
      counterexamples: ["[A-Za-z0-9]{36}"]
    },
    {
      name: "Token with any prefix",
      kind: "token",
      source: "github-formats",
      anchors: [],
      pattern: "(?<![.$@])[a-z][a-z0-9]{1,9}_(?:[a-z0-9]{1,8}_){0,2}[A-Za-z0-9]{28,}={0,2}(?![A-Za-z0-9_/.(-])",
      check: "scrambled",
      examples: ["acme_[A-Za-z0-9]{40}"],
      counterexamples: ["node_modules/fast-xml-builder/src/orderedJs2Xml.js", "def test_2D_lattice_no_contraction_leftovers():"]
    },
    {
      name: "Token whose prefix says so",
      kind: "token",
      source: "github-formats",
      anchors: ["sk", "pat", "api", "tok", "tkn", "token", "key", "sec", "secret"],
      next: "_-",
      pattern: "(?<![A-Za-z0-9])(?:sk|pat|api|tok|tkn|token|key|sec|secret|SK|PAT|API|TOKEN|KEY|SECRET)[_-](?:[a-z0-9]{1,8}[_-]){0,2}[A-Za-z0-9]{20,}(?![A-Za-z0-9_-])",
      extend: "A-Za-z0-9_-",
      check: "scrambled",
      examples: ["acme-sk-[A-Za-z0-9]{40}"],
      counterexamples: ["flask-worker-9xmj6xhm5j-rljmh", "sk-ssh-ed25519-cert-v01@openssh.com"]
    }
  ],
  names: {
    excluded: "(?:^|_)(?:public|publishable)(?:_[a-z0-9]{1,20}){0,4}_?keys?$|(?:^|_)(?:request|next|page|paging|continuation|idempotency|sync|resume|delta|cancellation|start|scroll|change|action|lock|fencing|concurrency|paginat(?:ion|or))_?token$|(?:^|_)(?:hash(?:es|ed)?|digest|fingerprint|checksum|ur[li]s?|path|files?|filename|dir|names?|types?|index|fields?|version|policy|arns?|counts?|length|len|size|ids?|sids?|min|max|limit|regex|regexp|pattern|placeholder|labels?|hints?|errors?|messages?|fail(?:ed|ures?)?|algorithms?|providers?|managers?|ttl|expir(?:y|es|ation)|timeout|params?|parameters?|formats?|generators?|reset|strength|rules?|validators?|inputs?|forms?|page|prompt|callback|handler|class|store|region|host|port|domain|scopes?|prefix|suffix|headers?|enabled|usage|used|cost|window|encoder|encoding|izer|izers|method|mode|status|style|algo|issuer|audience|endpoint|project|lifetime|required|changed|rotation|title|text_color|column|columns|blob|family|kind|stdin|mock|buckets?|estimate|budget|price|per|left|total|address|format|code_challenge|options|config|settings|source|refs?|reference|schema|table|model|service|server|request|response|client|pattern|event|stream|iterator|list)$",
    roles: [
      { kind: "password", check: "password", pattern: "passw(?:or)?d|passwort|passphrase|passcode|(?:^|_)(?:pass|pwd|pw|psw)(?:_|$)|(?:user|db|sql|root|admin|mail|ftp|ssh|smtp|redis|mongo|[a-z]{2}_)(?:pass|pwd)$|requirepass$|masterauth$" },
      { kind: "token", check: "random", pattern: "token|jwt|bearer|auth(?![a-z])|(?:^|_)(?:pat|webhook|api)$" },
      { kind: "secret", check: "password", pattern: "secret|credential|(?:^|_)creds?(?:_|$)|dsn$" },
      { kind: "api-key", check: "random", pattern: "(?:api|app|access|auth|private|signing|encryption|master|account|service|role|license|shared|storage|admin|webhook|client|deploy|subscription|consumer|(?:^|_)age|ssh|hmac|integration)_?keys?(?:_|$)|apikey|(?:^|_)(?:[si]key|key[12])$" },
      { kind: "api-key", check: "random", pattern: "(?:^|_)<provider>_?keys?$" },
      { kind: "api-key", check: "alphanumeric", pattern: "(?:^|_)<provider>$" },
      { kind: "api-key", check: "key", pattern: "^(?![^\\n]*(?:public|publishable|site|hot|cache|sort|partition|primary|foreign|gpg|group|unique|shard|row|object|index|translation|i18n|query|route|storage|react|host|hash|composite|natural|surrogate|business|lookup|dedup|idempotency)_key)(?:[^\\n]*_)?keys?[12]?$" }
    ],
    providers: [
      "adafruit",
      "adobe",
      "airbrake",
      "airtable",
      "airvisual",
      "aiven",
      "algolia",
      "alibaba",
      "aliyun",
      "amplitude",
      "apify",
      "apimetrics",
      "apitemplate",
      "appcues",
      "artifactory",
      "asana",
      "assemblyai",
      "atlassian",
      "auth0",
      "autodesk",
      "aviationstack",
      "axonaut",
      "ayrshare",
      "bannerbear",
      "baremetrics",
      "beamer",
      "betterstack",
      "billomat",
      "bintray",
      "bitbucket",
      "bitfinex",
      "bitly",
      "bitmex",
      "bitrise",
      "bittrex",
      "blazemeter",
      "boostnote",
      "braintree",
      "braintrust",
      "browserstack",
      "budibase",
      "bugsnag",
      "buildkite",
      "buttercms",
      "calendarific",
      "calendly",
      "chartmogul",
      "checkly",
      "circle_ci",
      "circleci",
      "civo",
      "clarifai",
      "clearbit",
      "clerk",
      "clickhelp",
      "clicksend",
      "clickup",
      "clockify",
      "cloudconvert",
      "cloudflare",
      "cloudimage",
      "cloudinary",
      "cloudmersive",
      "cloudsmith",
      "codacy",
      "codeclimate",
      "codecov",
      "codemagic",
      "cohere",
      "coinapi",
      "coinbase",
      "coinlib",
      "configcat",
      "confluent",
      "contentful",
      "convertkit",
      "couchbase",
      "coveralls",
      "crates_io",
      "crowdin",
      "currencycloud",
      "currencylayer",
      "databento",
      "databricks",
      "datadog",
      "datagov",
      "deepgram",
      "deepseek",
      "delighted",
      "detectify",
      "diffbot",
      "digitalocean",
      "discord",
      "disqus",
      "docusign",
      "drone_ci",
      "droneci",
      "dropbox",
      "dwolla",
      "dynatrace",
      "ebay",
      "edamam",
      "edenai",
      "elevenlabs",
      "endorlabs",
      "etherscan",
      "etsy",
      "eventbrite",
      "exoscale",
      "facebook",
      "fastly",
      "finicity",
      "finnhub",
      "fixer_io",
      "flickr",
      "flutterwave",
      "foursquare",
      "freshbooks",
      "freshdesk",
      "fullstory",
      "geoapify",
      "getresponse",
      "gitea",
      "gitter",
      "gocardless",
      "godaddy",
      "graphcms",
      "greptile",
      "groq",
      "gumroad",
      "gyazo",
      "hashicorp",
      "hasura",
      "helpscout",
      "heroku",
      "highnote",
      "honeycomb",
      "hubspot",
      "huggingface",
      "ibmcloud",
      "infomaniak",
      "infura",
      "instamojo",
      "intercom",
      "invoiceocean",
      "ipinfo",
      "ipstack",
      "jfrog",
      "jotform",
      "jumpcloud",
      "kagi",
      "keenio",
      "klaviyo",
      "kraken",
      "kucoin",
      "larksuite",
      "launch_darkly",
      "launchdarkly",
      "lemlist",
      "lighton",
      "linear",
      "linked_in",
      "linkedin",
      "liveagent",
      "livestorm",
      "locationiq",
      "loggly",
      "logz_io",
      "lokalise",
      "looker",
      "magicbell",
      "mailboxlayer",
      "mailchimp",
      "mailerlite",
      "mailgun",
      "mailjet",
      "mandrill",
      "mapbox",
      "mapquest",
      "marketstack",
      "mattermost",
      "maxmind",
      "meraki",
      "message_bird",
      "messagebird",
      "metaapi",
      "midtrans",
      "mistral",
      "mixpanel",
      "mockaroo",
      "moonshot",
      "moralis",
      "netlify",
      "new_relic",
      "newrelic",
      "newsapi",
      "ngrok",
      "numverify",
      "nylas",
      "nytimes",
      "okta",
      "ollama",
      "onesignal",
      "openai",
      "openrouter",
      "openuv",
      "openweather",
      "opsgenie",
      "optimizely",
      "ovh",
      "packagecloud",
      "pagerduty",
      "pandadoc",
      "parsehub",
      "paystack",
      "pdfshift",
      "perplexity",
      "pinata",
      "pinecone",
      "pipedrive",
      "plaid",
      "planetscale",
      "plivo",
      "polygon_io",
      "postmark",
      "privateai",
      "pubnub",
      "pulumi",
      "pushbullet",
      "pusher",
      "qualaroo",
      "railway",
      "rapidapi",
      "razorpay",
      "readme_io",
      "rebrandly",
      "replicate",
      "sanity_io",
      "saucelabs",
      "scaleway",
      "scraperapi",
      "scrapfly",
      "scrapingant",
      "scrapingbee",
      "securitytrails",
      "sendbird",
      "sendgrid",
      "sendinblue",
      "sentry",
      "serpapi",
      "serpstack",
      "shippo",
      "shodan",
      "shopify",
      "shotstack",
      "signalwire",
      "smartsheet",
      "snowflake",
      "snyk",
      "sonar",
      "sonarcloud",
      "sonarqube",
      "sourcegraph",
      "sparkpost",
      "spectralops",
      "splunk",
      "spoonacular",
      "spotify",
      "squarespace",
      "sslmate",
      "statuscake",
      "storyblok",
      "strava",
      "sumo_logic",
      "sumologic",
      "surveysparrow",
      "tableau",
      "telegram",
      "telnyx",
      "thinkific",
      "ticketmaster",
      "tiingo",
      "todoist",
      "tomtom",
      "tradier",
      "transferwise",
      "travis",
      "travis_ci",
      "travisci",
      "trello",
      "twelvedata",
      "twilio",
      "twitch",
      "twitter",
      "typeform",
      "unsplash",
      "upstage",
      "upstash",
      "vercel",
      "virustotal",
      "vouchery",
      "wakatime",
      "wandb",
      "weatherstack",
      "webex",
      "webflow",
      "websitepulse",
      "wepay",
      "workos",
      "yandex",
      "yelp",
      "zendesk",
      "zenserp",
      "zerobounce",
      "zoominfo",
      "zulipchat"
    ],
    anchors: ["pass", "pwd", "secret", "token", "cred", "key", "auth", "jwt", "bearer", "pat", "pw", "webhook", "dsn", "api", "psw"],
    weak: "passw(?:or)?d|passphrase|(?:^|_)(?:pass|pwd|pw)$|secret"
  },
  innocent: {
    start: [
      "\\$[A-Za-z_({]",
      "@[a-z]+(?:[./(][a-z0-9./()_-]*)?$",
      "![A-Za-z_]+\\.",
      "[0-9]{4}-[0-9]{2}-[0-9]{2}",
      "%[a-z_(]",
      "[<{(\\[][^\\n]*[>})\\]]$",
      "<",
      "\\{\\{",
      "_{3}",
      "[a-z][a-z0-9+.-]*://",
      "arn:|[a-z]{2}-[a-z]+-[0-9]:[0-9]{12}:",
      "(?:\\.{0,2}|~)/[A-Za-z_.-]{2,}(?:/|$)",
      "(?:process|os|env|import|config|settings|self|this|ctx|req|request|options|secrets|vars|github|data|form|user|args|params)\\??\\.",
      "(?:none|null|undefined|required|optional|string|boolean|number|user|pass|passw(?:or)?d|secret|token|bearer|basic)$",
      "value[0-9]{0,2}(?:$|[^a-z0-9])",
      "(?:ses|msg|prt|evt|per|que|req|resp|rs|cs|ci|call|toolu|chatcmpl|file|run|thread|asst|step|batch|cus|price|acct|pi|seti|src|sha[0-9]*|md5|h1)[_:-]",
      "(?:fc|ws|prod|user|org)[_:-][a-z0-9]{1,14}$",
      "[a-z_]+(?:\\.[a-z_]+)+$",
      "[a-z_$][a-z0-9_$.]*\\([^\\n]*\\)$",
      "[+,;)][^\\n]*[+,;(]$",
      "\\+[a-z_$.]+[0-9]{0,3}$",
      "[a-z]+[?:!]$",
      "[a-z]*[ß-ɏ][a-zß-ɏ]*[?:]?$",
      "(?:required|nullable|sometimes)\\|",
      "id=[a-z]",
      "\\^[^\\n]*\\$$",
      "!{1,2}[a-z_$]",
      "&[a-z]",
      "=",
      "[a-z_$][a-z0-9_$]*\\.[a-z_$]+[0-9]{0,3}$",
      "[a-z_$]{2,20}\\.[a-z_$]{2,20}[0-9]{1,2}[a-z_$]+$",
      "\\*[a-z_][a-z0-9_]*$",
      "[;&-]{0,2}[a-z_-]+=$",
      "\\.\\$[a-z_]",
      "@[a-z0-9.-]+:[0-9]{1,5}$",
      "[a-z_$][a-z0-9_.$]*@[0-9a-f]{6,8}$",
      "[a-z][a-z0-9_]*(?:\\|[a-z][a-z0-9_]*)+$",
      "[a-z][a-z0-9.]*\\[[a-z0-9_., \\[\\]]*\\]$",
      "[a-z_]+\\.[a-z_]+(?:\\.[a-z0-9_]+)+$",
      "[a-z]+=[a-z0-9._/-]+$",
      "[<{(\\[][a-z_.]+[0-9]{0,3}[>})\\]]?$",
      "[a-z_$][a-z0-9_$]*\\[[^\\n]*\\](?:\\.[a-z0-9_$]+)*$",
      "[a-z0-9._+-]+@(?:[a-z0-9-]+\\.)+[a-z]{2,12}$"
    ],
    anywhere: [
      "example(?:key)?$",
      "[$#]\\{|\\{\\$|\\$\\(|\\{\\{|\\(\\?[a-z=:!<]|\\*\\*\\*|\\.\\.\\.|xxxx|[*]{3}|_{3}$|__[a-z]+__",
      ":secret:",
      "(?:private|public)_?key(?:$|[.(])",
      "/[^/]*\\.[A-Za-z]{1,5}$",
      "(?:^|[^a-z])(?:your|example|placeholder|change[-_]?me|replace|insert|redacted|dummy|sample)(?:$|[^a-z])",
      "\\?\\.|\\|\\||&&"
    ]
  },
  word: "^(?:[a-z]*(?:[A-Z]{1,6}[a-z]{2,})*[A-Z]{0,6}[0-9]{0,4}[a-z]*(?:[A-Z][a-z]{2,})*|[A-Z]+[0-9]{0,4}|[0-9]{1,14})$"
};

// src/redaction/rules.ts
var PARTS = { ...rules_default.parts, provider: `(?:${rules_default.names.providers.join("|")})` };
var whole = (pattern) => pattern.replace(/<([a-z]+)>/g, (_, name) => whole(PARTS[name] ?? ""));
var compiled = (pattern, flags = "") => new RegExp(whole(pattern), flags);
function formatRule({ alphabet, length, tail = "", prefix, next, ...entry }) {
  const letters = `[${alphabet}]`;
  const [shortest, longest] = limits(length);
  const isClosed = longest !== null && !entry.inside;
  const prefixes = prefix.map(escaped2).join("|");
  const run = `${letters}{${shortest},${longest ?? ""}}`;
  return {
    name: entry.name,
    kind: entry.kind,
    pattern: compiled(`(?=(?:${prefixes})${letters})${entry.anywhere ? "" : "<start>"}(?:${prefixes})${run}${tail}${isClosed ? `(?!${letters})` : ""}`, "dy"),
    anchors: lower(followed(prefix, next)),
    before: [0],
    after: [],
    extend: "",
    reach: undefined,
    check: entry.check ?? "format"
  };
}
var limits = (length) => typeof length === "number" ? [length, length] : length;
var escaped2 = (literal) => literal.replace(/[.+|$^()[\]{}*?\\]/g, "\\$&");
var ruleOf = ({
  pattern,
  ignoreCase,
  anchors,
  next,
  before,
  after,
  extend,
  reach,
  check,
  ...entry
}) => ({
  name: entry.name,
  kind: entry.kind,
  pattern: compiled(pattern, `dy${ignoreCase ? "i" : ""}`),
  anchors: lower(followed(anchors, next)),
  before: before ?? [0],
  after: lower(after ?? []),
  extend: expanded(extend ?? ""),
  reach,
  check
});
var followed = (anchors, next) => next === undefined ? anchors : anchors.flatMap((anchor) => [...next].map((character) => anchor + character));
var lower = (literals) => [...new Set(literals.map((literal) => literal.toLowerCase()))];
var expanded = (alphabet) => alphabet.replace(/(.)-(.)/g, (_, first, last) => {
  const start = first.charCodeAt(0);
  return String.fromCharCode(...Array.from({ length: last.charCodeAt(0) - start + 1 }, (_, index) => start + index));
});
var RULES = [
  ...rules_default.formats.map(formatRule),
  ...rules_default.rules.map(ruleOf)
];
var PROVIDER_LENGTHS = lengths();
function lengths() {
  const result = new Map;
  for (const { names, length } of rules_default.unprefixed)
    for (const name of names) {
      const [least, most] = limits(length);
      result.set(name, [...result.get(name) ?? [], [least, most]]);
    }
  return result;
}
var anyOf = (patterns) => patterns.map((pattern) => `(?:${pattern})`).join("|");
var INNOCENT_START = compiled(`^(?:${anyOf(rules_default.innocent.start)})`);
var INNOCENT_PART = compiled(anyOf(rules_default.innocent.anywhere));
var WORD = compiled(rules_default.word);
var NAME_ANCHORS = [...rules_default.names.anchors, ...rules_default.names.providers];
var EXCLUDED_NAME = compiled(rules_default.names.excluded);
var ROLES = rules_default.names.roles.map(({ kind, check, pattern }) => ({
  kind,
  check,
  pattern: compiled(pattern)
}));
var WEAK_NAME = compiled(rules_default.names.weak);

// src/redaction/own-formats.ts
var MAX_FORMATS = 200;
var NAME2 = /^[A-Za-z][A-Za-z0-9 -]{1,38}$/;
var PREFIX = /^[!-~]{2,40}$/;
var ALPHABET = /^[A-Za-z0-9_+/=.~%-]{1,80}$/;
var MAX_LENGTH = 500;
var FIELDS = ["name", "prefix", "alphabet", "length"];
function ownRules(formats) {
  if (!Array.isArray(formats) || formats.length > MAX_FORMATS || !formats.every(isFormat))
    return;
  return formats.map((format) => formatRule({ ...format, kind: kindOf(format.name) }));
}
var isFormat = (value) => isObject(value) && Object.keys(value).length === FIELDS.length && Object.keys(value).every((field) => FIELDS.includes(field)) && isText(value.name, NAME2) && isText(value.alphabet, ALPHABET) && Array.isArray(value.prefix) && value.prefix.length > 0 && value.prefix.every((prefix) => isText(prefix, PREFIX)) && isLength(value.length);
var isText = (value, pattern) => typeof value === "string" && pattern.test(value);
function isLength(value) {
  if (isCount(value))
    return true;
  if (!Array.isArray(value) || value.length !== 2)
    return false;
  const [shortest, longest] = value;
  return isCount(shortest) && (longest === null || isCount(longest) && shortest <= longest);
}
var isCount = (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MAX_LENGTH;
var kindOf = (name) => name.toLowerCase().replace(/[ -]+/g, "-").replace(/-$/, "");

// src/settings/privacy.ts
var PRIVACY_OPTIONS = ["redact", "exclude", "auto"];
var MIN_DENIED = 3;
function readPrivacy(own, project = undefined) {
  const users = readOptions(own);
  const projects = readOptions(project);
  if ("problem" in users)
    return users;
  if ("problem" in projects)
    return projects;
  const { redact = WITHOUT_EXCEPTIONS, exclude = [], auto = false } = users;
  return {
    redact: projects.redact ? stricter(redact, projects.redact) : redact,
    exclude: [...new Set([...exclude, ...projects.exclude ?? []])],
    auto: auto && projects.auto !== false
  };
}
var WITHOUT_EXCEPTIONS = { allow: [], deny: [], rules: [] };
var REDACTION_OPTIONS = ["allow", "deny", "formats"];
function stricter(users, { deny }) {
  const { allow, deny: own, rules } = users || WITHOUT_EXCEPTIONS;
  return { allow, deny: [...new Set([...own, ...deny])], rules };
}
function readOptions(options) {
  const { redact, exclude, auto } = isObject(options) ? options : {};
  const redaction = redact === undefined ? undefined : readRedaction(redact);
  if (redact !== undefined && redaction === undefined)
    return {
      problem: 'The plugin option "redact" must be true, false, or {"allow": [...], "deny": [...], "formats": [...]}: texts, those to deny of 3 characters and more, and formats like {"name": "ACME token", "prefix": ["acme_"], "alphabet": "A-Za-z0-9", "length": [32, null]}.'
    };
  if (exclude !== undefined && !areTexts(exclude))
    return { problem: 'The plugin option "exclude" must be a list of file patterns, like ["secrets/**"].' };
  if (auto !== undefined && typeof auto !== "boolean")
    return { problem: 'The plugin option "auto" must be true or false.' };
  return {
    ...redaction === undefined ? {} : { redact: redaction },
    ...exclude === undefined ? {} : { exclude },
    ...auto === undefined ? {} : { auto }
  };
}
function readRedaction(value) {
  if (value === false)
    return false;
  if (value === true)
    return WITHOUT_EXCEPTIONS;
  if (!isObject(value) || Object.keys(value).some((key) => !REDACTION_OPTIONS.includes(key)))
    return;
  const { allow = [], deny = [], formats = [] } = value;
  const rules = ownRules(formats);
  return rules && areTexts(allow) && areTexts(deny) && deny.every((text) => text.length >= MIN_DENIED) ? { allow, deny, rules } : undefined;
}
var areTexts = (value) => Array.isArray(value) && value.every((item) => typeof item === "string" && item !== "");

// src/settings/readers.ts
var AUDIENCES = ["link", "password", "members"];
var READERS_OPTIONS = ["audience", "expiresIn"];
var UNITS = { m: 60, h: 3600, d: 86400, w: 604800 };
function readReaders(own, project) {
  const [users, projects] = [optionsOf(own), optionsOf(project)];
  const stricter = projects.audience === "link" ? undefined : projects.audience;
  const audience = users.audience === "link" || users.audience === undefined ? stricter ?? users.audience : users.audience;
  const lifetimes = [users.expiresIn, projects.expiresIn].flatMap((seconds) => seconds ?? []);
  return {
    ...audience ? { audience } : {},
    ...lifetimes.length > 0 ? { expiresIn: Math.min(...lifetimes) } : {}
  };
}
function problemOfReaders(options) {
  if (options.audience !== undefined && !isAudience(options.audience))
    return 'The plugin option "audience" must be "link", "password" or "members".';
  if (options.expiresIn !== undefined && secondsOf(options.expiresIn) === undefined)
    return 'The plugin option "expiresIn" must be a time like "12h", "7d" or "4w".';
  return;
}
function optionsOf(given) {
  if (!isObject(given))
    return {};
  const expiresIn = secondsOf(given.expiresIn);
  return {
    ...isAudience(given.audience) ? { audience: given.audience } : {},
    ...expiresIn === undefined ? {} : { expiresIn }
  };
}
var isAudience = (value) => AUDIENCES.some((audience) => audience === value);
function secondsOf(value) {
  const [, count, unit] = typeof value === "string" ? /^([1-9]\d{0,3})([mhdw])$/.exec(value) ?? [] : [];
  return unit === undefined ? undefined : Number(count) * (UNITS[unit] ?? 0);
}

// src/settings/server.ts
var OPTIONS = ["url", "uploadHosts", ...READERS_OPTIONS, ...PRIVACY_OPTIONS];
function readSettings(own, env, project = undefined, packaged = undefined) {
  const problem = problemOf(own) ?? problemOf(project);
  if (problem !== undefined)
    return { problem };
  const token = env.BETTER_SHARE_TOKEN || undefined;
  if (token && !/^[\x21-\x7e]+$/.test(token))
    return { problem: "BETTER_SHARE_TOKEN has characters that no token can have." };
  const variable = env.BETTER_SHARE_BASE_URL;
  if (variable !== undefined && serverBase(variable) === undefined)
    return noAddress("BETTER_SHARE_BASE_URL");
  const uploadHosts = env.BETTER_SHARE_UPLOAD_HOSTS?.split(",") ?? optionsOf2(own).uploadHosts ?? [];
  if (!areHosts(uploadHosts))
    return { problem: "BETTER_SHARE_UPLOAD_HOSTS must be host names, separated by commas." };
  const common = { uploadHosts, ...readReaders(own, project) };
  const chosen = serverBase(variable) ?? serverBase(optionsOf2(own).url);
  if (chosen !== undefined)
    return { base: chosen, token, chosenBy: "user", ...common };
  const ofPackage = serverBase(packaged);
  const named = serverBase(optionsOf2(project).url);
  if (named !== undefined && named !== ofPackage)
    return { base: named, token: undefined, chosenBy: "project", ...common };
  if (ofPackage === undefined)
    return { problem: NO_SERVER };
  const isOwn = own !== undefined;
  return { base: ofPackage, token: isOwn ? token : undefined, chosenBy: isOwn ? "user" : "project", ...common };
}
var NO_SERVER = 'No share server is named. Set BETTER_SHARE_BASE_URL, or the option "url" of the plugin, to its address, like https://share.example.com.';
var optionsOf2 = (given) => isObject(given) ? given : {};
function problemOf(given) {
  if (given !== undefined && given !== null && !isObject(given))
    return 'The options of Better Share must look like {"url": "https://..."}.';
  const options = optionsOf2(given);
  const unknown = Object.keys(options).find((key) => !OPTIONS.includes(key));
  if (unknown !== undefined)
    return `Better Share has no option "${unknown}"; it knows ${OPTIONS.map((name) => `"${name}"`).join(", ")}.`;
  const { url, uploadHosts } = options;
  if (url !== undefined && serverBase(url) === undefined)
    return noAddress('The plugin option "url"').problem;
  if (uploadHosts !== undefined && !areHosts(uploadHosts))
    return 'The plugin option "uploadHosts" must be a list of host names, like ["minio.example.com:9000"].';
  return problemOfReaders(options);
}
var noAddress = (name) => ({
  problem: `${name} must be the address of your server, like https://share.example.com.`
});
var areHosts = (value) => Array.isArray(value) && value.every((host) => typeof host === "string" && isHost(host));
var isHost = (text) => URL.canParse(`https://${text}`) && new URL(`https://${text}`).host === text;
var HARMLESS = /^[\w.~:/[\]%-]+$/;
function serverBase(value) {
  if (typeof value !== "string" || !URL.canParse(value))
    return;
  const url = new URL(value);
  const bare = !url.search && !url.hash && !url.username && !url.password;
  const base = url.origin + url.pathname.replace(/\/+$/, "");
  return bare && (url.protocol === "https:" || url.protocol === "http:") && HARMLESS.test(base) ? base : undefined;
}

// src/state/allowed-servers.ts
class AllowedServers {
  stateFiles;
  env;
  constructor(stateFiles, env) {
    this.stateFiles = stateFiles;
    this.env = env;
  }
  async has(base) {
    const listed = (this.env.BETTER_SHARE_ALLOWED_SERVERS ?? "").split(",").map((url) => serverBase(url.trim()));
    return listed.includes(base) || await this.stateFiles.read({ kind: "allowed", base }) !== undefined;
  }
  async add(base) {
    await this.stateFiles.write({ kind: "allowed", base });
  }
  async remove(base) {
    return await this.stateFiles.remove({ kind: "allowed", base });
  }
}

// src/cli/command.ts
var oneWord = ({ words }) => words.length === 1;
var wordOf = ({ words }) => words[0] ?? "";

// src/cli/allow.ts
var allow = {
  usages: [
    { words: "allow <server>", summary: "lets projects that name this server share on it; --undo takes that back" }
  ],
  options: { undo: { type: "boolean" } },
  accepts: oneWord,
  async run(given, { env, output, stateFiles }) {
    const server = wordOf(given);
    const base = serverBase(server);
    if (base === undefined) {
      output.failure(`${server} is not the address of a server, like https://share.example.com.`, "usage");
      return 2;
    }
    const allowed = new AllowedServers(stateFiles, env);
    const isUndone = given.options.undo === true;
    await (isUndone ? allowed.remove(base) : allowed.add(base));
    output.result({ server: base, isAllowed: !isUndone }, [
      `Projects may${isUndone ? " no longer" : ""} share on ${base}.`
    ]);
    return 0;
  }
};

// src/cli/context.ts
import { homedir as homedir2 } from "node:os";

// src/lib/timeouts.ts
var MEGABYTE = 1e6;
function debounceFor(bytes) {
  if (bytes < 5 * MEGABYTE)
    return 500;
  return Math.min(20000, bytes / MEGABYTE * 1000);
}
var TIMEOUTS = {
  create: 8000,
  firstUpload: 600,
  remove: 5000,
  dispose: 3000,
  request: 1e4,
  upload: 300000,
  retries: [500, 1500],
  backoff: [1e4, 30000, 60000, 300000],
  maxRetryAfter: 4000,
  toastDelay: 700,
  debounce: debounceFor,
  pause: 1000
};

// src/opencode/storage/open-storage.ts
import { join as join3 } from "node:path";

// src/opencode/storage/database.ts
import { chmod, readdir } from "node:fs/promises";
import { join, resolve } from "node:path";

// src/opencode/storage/session-rows.ts
function sessionOf(row) {
  const { id, title, version, directory, path, slug, agent, cost } = row;
  return {
    id: String(id),
    ...present({
      slug,
      projectID: row.project_id,
      workspaceID: row.workspace_id,
      parentID: row.parent_id,
      directory,
      path,
      title,
      agent,
      version,
      cost,
      model: parsed(row.model),
      metadata: parsed(row.metadata),
      revert: parsed(row.revert),
      permission: parsed(row.permission),
      summary: group({
        additions: row.summary_additions,
        deletions: row.summary_deletions,
        files: row.summary_files,
        diffs: parsed(row.summary_diffs)
      }),
      tokens: group({
        input: row.tokens_input,
        output: row.tokens_output,
        reasoning: row.tokens_reasoning,
        cache: group({ read: row.tokens_cache_read, write: row.tokens_cache_write })
      }),
      share: group({ url: row.share_url }),
      time: group({
        created: row.time_created,
        updated: row.time_updated,
        compacting: row.time_compacting,
        archived: row.time_archived
      })
    })
  };
}
function messagesOf(sessionID, messages, parts) {
  const byMessage = Map.groupBy(parts, ({ message_id }) => String(message_id));
  return messages.flatMap(({ id, data }) => {
    const info = parsed(data);
    if (!isObject(info))
      return [];
    const own = (byMessage.get(String(id)) ?? []).flatMap((part) => {
      const fields = parsed(part.data);
      return isObject(fields) ? [{ ...fields, id: part.id, sessionID, messageID: id }] : [];
    });
    return [{ info: { ...info, id, sessionID }, parts: own }];
  });
}
var present = (fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined));
function group(fields) {
  const found = present(fields);
  return Object.keys(found).length > 0 ? found : undefined;
}
function parsed(text) {
  if (typeof text !== "string")
    return;
  try {
    return JSON.parse(text);
  } catch {
    return;
  }
}

// src/opencode/storage/sqlite.ts
var BUSY_TIMEOUT = 5000;
async function sqlite() {
  return process.versions.bun ? await bunSqlite() : await nodeSqlite();
}
async function bunSqlite() {
  const { Database } = await import("bun:sqlite");
  return (path, isWritable) => {
    const database = new Database(path, isWritable ? { readwrite: true } : { readonly: true });
    database.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`);
    return {
      all: (sql, ...values) => database.query(sql).all(...values),
      run: (sql, ...values) => void database.run(sql, values),
      close: () => database.close()
    };
  };
}
async function nodeSqlite() {
  const { DatabaseSync } = await withoutWarning(() => import("node:sqlite")).catch(() => {
    return;
  }) ?? {};
  if (!DatabaseSync)
    return;
  return (path, isWritable) => {
    const database = new DatabaseSync(path, { readOnly: !isWritable });
    database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`);
    return {
      all: (sql, ...values) => database.prepare(sql).all(...values),
      run: (sql, ...values) => void database.prepare(sql).run(...values),
      close: () => database.close()
    };
  };
}
async function withoutWarning(action) {
  const { emitWarning } = process;
  process.emitWarning = () => {
    return;
  };
  try {
    return await action();
  } finally {
    process.emitWarning = emitWarning;
  }
}

// src/opencode/storage/storage.ts
var nameOfCopy = (path) => `${path}.before-${new Date().toISOString().replaceAll(/[-:]|\..*/g, "")}`;

// src/opencode/storage/database.ts
var NAME3 = /^opencode(?:-[\w.-]+)?\.db$/;
var COLUMNS = {
  session: ["id", "parent_id", "title", "directory", "share_url", "time_created", "time_updated"],
  message: ["id", "session_id", "time_created", "data"],
  part: ["id", "message_id", "session_id", "data"],
  session_share: ["session_id", "id", "secret", "url"]
};
var readDatabases = async (place) => (await databasesIn(place)).map((path) => async () => new DatabaseStorage(path, await openDatabase(path)));
async function openDatabase(path, isWritable = false) {
  const open = await sqlite();
  if (!open)
    throw new Failure("unreadable", `This Node.js (${process.versions.node}) cannot read OpenCode's database: use Node.js 22.13 or newer, or share the file that "opencode export" writes.`);
  try {
    const database = open(path, isWritable);
    if (isWritable)
      database.run("PRAGMA locking_mode = EXCLUSIVE");
    checkSchema(database, path);
    return database;
  } catch (error) {
    if (error instanceof Failure)
      throw error;
    if (isWritable && /locked|busy/i.test(String(error)))
      throw new Failure("refused", `OpenCode is running (${path} is in use): close it, and try again.`);
    throw new Failure("unreadable", `OpenCode's database ${path} cannot be read (${error.message}).`);
  }
}
async function databasesIn({ folder, env }) {
  if (env.OPENCODE_DB)
    return [resolve(folder, env.OPENCODE_DB)];
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => NAME3.test(name)).map((name) => join(folder, name));
}
function checkSchema(database, path) {
  for (const [table, columns] of Object.entries(COLUMNS)) {
    const found = new Set(database.all(`PRAGMA table_info(${table})`).map(({ name }) => name));
    if (columns.some((column) => !found.has(column)))
      throw new Failure("unreadable", `OpenCode's database ${path} has a form that this version of the plugin does not know: share the file that "opencode export" writes.`);
  }
}

class DatabaseStorage {
  path;
  database;
  constructor(path, database) {
    this.path = path;
    this.database = database;
    database.run("BEGIN");
  }
  async has(sessionId) {
    return this.database.all("SELECT id FROM session WHERE id = ?", sessionId).length > 0;
  }
  async latest(directory) {
    const [row] = this.database.all("SELECT * FROM session WHERE directory = ? AND parent_id IS NULL ORDER BY time_updated DESC LIMIT 1", directory);
    return row && sessionOf(row);
  }
  async session(id) {
    const [row] = this.database.all("SELECT * FROM session WHERE id = ?", id);
    if (!row)
      throw new Failure("unreadable", `There is no session ${id} in ${this.path}.`);
    return sessionOf(row);
  }
  async children(id) {
    return this.database.all("SELECT * FROM session WHERE parent_id = ? ORDER BY id", id).map(sessionOf);
  }
  async messages(id) {
    return messagesOf(id, this.database.all("SELECT id, data FROM message WHERE session_id = ? ORDER BY time_created, id", id), this.database.all("SELECT id, message_id, data FROM part WHERE session_id = ? ORDER BY id", id));
  }
  async shares() {
    return this.database.all("SELECT session_id, id, secret, url FROM session_share").map(({ session_id, id, secret, url }) => ({
      sessionId: String(session_id),
      id: String(id),
      secret: String(secret),
      url: String(url)
    }));
  }
  async unshare(sessionIds) {
    this.close();
    const database = await openDatabase(this.path, true);
    try {
      const copy = nameOfCopy(this.path);
      database.run("VACUUM INTO ?", copy);
      await chmod(copy, 384);
      database.run("BEGIN EXCLUSIVE");
      for (const id of sessionIds) {
        database.run("DELETE FROM session_share WHERE session_id = ?", id);
        database.run("UPDATE session SET share_url = NULL WHERE id = ?", id);
      }
      database.run("COMMIT");
      return copy;
    } finally {
      database.close();
    }
  }
  close() {
    this.database.close();
  }
}

// src/opencode/storage/json-files.ts
import { copyFile, mkdir, readdir as readdir2, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join as join2 } from "node:path";

// src/opencode/storage/times.ts
var createdAt = ({ time }) => numberIn(time, "created");
var updatedAt = ({ time }) => numberIn(time, "updated");
function numberIn(time, name) {
  const value = isObject(time) ? time[name] : undefined;
  return typeof value === "number" ? value : 0;
}

// src/opencode/storage/json-files.ts
var BATCH = 64;
var readJsonFiles = async ({ folder }) => {
  const path = join2(folder, "storage");
  const kinds = await readdir2(path).catch(() => []);
  return kinds.includes("session") ? [async () => new JsonFileStorage(path)] : [];
};

class JsonFileStorage {
  path;
  #sessions;
  constructor(path) {
    this.path = path;
  }
  async has(sessionId) {
    return (await this.#all()).some(({ id }) => id === sessionId);
  }
  async latest(directory) {
    return (await this.#all()).filter((session) => session.directory === directory && session.parentID === undefined).sort((one, other) => updatedAt(other) - updatedAt(one))[0];
  }
  async session(id) {
    const found = (await this.#all()).find((session) => session.id === id);
    if (!found)
      throw new Failure("unreadable", `There is no session ${id} in ${this.path}.`);
    return found;
  }
  async children(id) {
    return (await this.#all()).filter(({ parentID }) => parentID === id);
  }
  async messages(id) {
    const infos = await readFolder(join2(this.path, "message", id));
    const messages = [];
    for (const info of infos)
      messages.push({ info, parts: await readFolder(join2(this.path, "part", String(info.id))) });
    return messages.sort((one, other) => createdAt(one.info) - createdAt(other.info));
  }
  async shares() {
    const folder = join2(this.path, "session_share");
    const found = await Promise.all((await namesIn(folder)).map(async (name) => ({ name, share: await readJson(join2(folder, name)) })));
    return found.flatMap(({ name, share }) => share ? [
      {
        sessionId: name.replace(/\.json$/, ""),
        id: `${share.id}`,
        secret: `${share.secret}`,
        url: `${share.url}`
      }
    ] : []);
  }
  async unshare(sessionIds) {
    const copy = nameOfCopy(this.path);
    const sessions = await this.#sessionFiles();
    for (const id of sessionIds) {
      const names = [...sessions.filter((name) => basename(name) === `${id}.json`), join2("session_share", `${id}.json`)];
      for (const name of names) {
        const [path, kept] = [join2(this.path, name), join2(copy, name)];
        await mkdir(dirname(kept), { recursive: true, mode: 448 });
        await copyFile(path, kept);
        const { share, ...session } = await readJson(path) ?? {};
        if (!name.startsWith("session_share"))
          await replaceFile(path, JSON.stringify(session, undefined, 2));
        else
          await rm(path);
      }
    }
    return copy;
  }
  close() {}
  async#sessionFiles() {
    const names = await readdir2(join2(this.path, "session"), { recursive: true });
    return names.filter((name) => name.endsWith(".json")).map((name) => join2("session", name));
  }
  #all() {
    this.#sessions ??= this.#readSessions();
    return this.#sessions;
  }
  async#readSessions() {
    const folder = join2(this.path, "session");
    const projects = await readdir2(folder).catch(() => []);
    const sessions = [];
    for (const project of projects)
      sessions.push(...await readFolder(join2(folder, project)));
    return sessions.filter((session) => typeof session.id === "string");
  }
}
async function readFolder(folder) {
  const names = await namesIn(folder);
  const objects = [];
  for (let from = 0;from < names.length; from += BATCH) {
    const batch = names.slice(from, from + BATCH).map((name) => readJson(join2(folder, name)));
    objects.push(...(await Promise.all(batch)).filter((object) => object !== undefined));
  }
  return objects;
}
var namesIn = async (folder) => (await readdir2(folder).catch(() => [])).filter((name) => name.endsWith(".json")).sort();
async function readJson(path) {
  try {
    const value = JSON.parse(await readFile(path, "utf8"));
    return isObject(value) ? value : undefined;
  } catch {
    return;
  }
}
async function replaceFile(path, text) {
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, text);
  await rename(draft, path);
}

// src/opencode/storage/open-storage.ts
var READERS = [readDatabases, readJsonFiles];
var dataPlace = (env, home) => ({
  folder: join3(env.XDG_DATA_HOME || join3(home, ".local", "share"), "opencode"),
  env
});
async function* storagesOf(place) {
  for (const read of READERS)
    for (const open of await read(place))
      yield await open().catch(asFailure);
}
async function storageOf(sessionId, place) {
  let problem;
  for await (const storage of storagesOf(place)) {
    if (storage instanceof Failure)
      problem ??= storage;
    else if (await storage.has(sessionId))
      return storage;
    else
      storage.close();
  }
  throw problem ?? new Failure("unreadable", `OpenCode has no session ${sessionId} in ${place.folder}.`);
}
async function latestSession(directory, place) {
  let latest;
  let problem;
  for await (const storage of storagesOf(place)) {
    if (storage instanceof Failure) {
      problem ??= storage;
      continue;
    }
    const found = await storage.latest(directory);
    storage.close();
    if (found && (!latest || updatedAt(found) > updatedAt(latest)))
      latest = found;
  }
  if (!latest)
    throw problem ?? new Failure("unreadable", `OpenCode has no session of ${directory} in ${place.folder}.`);
  return latest.id;
}

// src/redaction/environment.ts
import { access, readdir as readdir3, readFile as readFile2, stat } from "node:fs/promises";
import { dirname as dirname2, join as join4 } from "node:path";
import { parseEnv } from "node:util";

// src/redaction/check-digits.ts
var PAYLOAD = 30;
var DIGITS = 6;
var BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
function hasCheckDigits(value) {
  const payload = value.slice(-PAYLOAD - DIGITS, -DIGITS);
  return payload.length === PAYLOAD && value.slice(-DIGITS) === checkDigits(payload);
}
function checkDigits(payload) {
  let number = crc32(Buffer.from(payload));
  let digits = "";
  for (let count = 0;count < DIGITS; count++) {
    digits = BASE62.charAt(number % BASE62.length) + digits;
    number = Math.floor(number / BASE62.length);
  }
  return digits;
}
function crc32(bytes) {
  let crc = 4294967295;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0;bit < 8; bit++)
      crc = crc & 1 ? crc >>> 1 ^ 3988292384 : crc >>> 1;
  }
  return (crc ^ 4294967295) >>> 0;
}

// src/redaction/heuristics.ts
var MIN_RANDOM = 16;
var MIN_ENTROPY = 3;
var MIN_PASSWORD = 8;
var MIN_MIXED = 10;
var MIN_SCRAMBLED = 12;
var MIN_KEY_IN_ONE_CASE = 24;
var MAX_WORD = 80;
var MAX_CHECKED = 512;
var MAX_REMEMBERED = 4096;
var MIN_HEX_ENTROPY = 2.5;
var DOTTED_NAME = /^[A-Za-z_$][A-Za-z0-9_$]{0,19}(?:\.[A-Za-z_$][A-Za-z0-9_$]{0,19}){1,9}$/;
var REPEATED = /([\s\S])\1{7}/;
var PERIODIC = /^([\s\S]{1,32}?)\1{3}/;
var HEX = /^(?:[0-9a-f]+|[0-9A-F]+)$/;
var UUID = /^(?:[A-Za-z]{1,12}_){0,2}[A-Za-z0-9]{8}(?:-[A-Za-z0-9]{4}){3}-[A-Za-z0-9]{12}$/;
var ALPHANUMERIC = /^(?:[a-z0-9]+|[A-Z0-9]+)$/;
var CASES = /[A-Z]+|[a-z]+|[0-9]+|[^A-Za-z0-9]+/g;
var SEPARATOR = /[-_./:, ]/;
var DIGEST = /^(?:[0-9a-f]{40}|[0-9a-f]{64}|[0-9A-F]{40}|[0-9A-F]{64})$|[-:/](?:[0-9a-f]{32,}|[0-9A-F]{32,})$/;
var remembered = new Map;
var CHECKS = {
  none: () => true,
  format: (value) => !REPEATED.test(value),
  token: (value) => !isWorded(value) && !REPEATED.test(value),
  any: (value) => !isInnocent(value),
  weak: (value) => !isInnocent(value) && /[A-Za-z]/.test(value),
  password: looksLikePassword,
  distinctive: (value) => !REPEATED.test(value) && !PERIODIC.test(value) && looksLikePassword(value),
  random: looksRandom,
  strong: (value) => looksRandom(value) && !DIGEST.test(value),
  alphanumeric: (value) => looksRandom(value) && !DIGEST.test(value) && /[0-9]/.test(value),
  checked: hasCheckDigits,
  key: isKey,
  unprefixed: isUnprefixedKey,
  scrambled: isScrambled,
  nkey: (value) => entropy(value) >= MIN_ENTROPY,
  mixed: (value) => looksRandom(value) && hasBothCases(value) && /[0-9]/.test(value)
};
function passes(check, value) {
  const beginning = value.slice(0, MAX_CHECKED);
  const key = `${check} ${beginning}`;
  const known = remembered.get(key);
  if (known !== undefined)
    return known;
  const result = CHECKS[check]?.(beginning) === true;
  if (remembered.size >= MAX_REMEMBERED)
    remembered.clear();
  remembered.set(key, result);
  return result;
}
function isInnocent(value) {
  const lower = value.toLowerCase();
  return INNOCENT_START.test(lower) || INNOCENT_PART.test(lower);
}
function looksRandom(value) {
  return isRandom(value) && !isInnocent(value);
}
function isKey(value) {
  if (!looksRandom(value) || DIGEST.test(value))
    return false;
  if (hasBothCases(value))
    return isAlternating(value);
  const isAlphanumeric = ALPHANUMERIC.test(value) && !HEX.test(value);
  return isAlphanumeric && value.length >= MIN_KEY_IN_ONE_CASE && 4 * runsOf(value) > value.length;
}
function isUnprefixedKey(value) {
  const digits = value.match(/[0-9]+/g)?.length ?? 0;
  const isMixed = 24 * digits > value.length || hasBothCases(value) && isAlternating(value);
  const isEven = entropy(value) >= (HEX.test(value) ? MIN_HEX_ENTROPY : MIN_ENTROPY);
  return /[A-Za-z]/.test(value) && digits > 0 && isMixed && isEven && !INNOCENT_PART.test(value.toLowerCase());
}
function isScrambled(value) {
  return value.length >= MIN_SCRAMBLED && hasBothCases(value) && /[0-9]/.test(value) && isAlternating(value) && !isInnocent(value) && !isWorded(value) && entropy(value) >= MIN_ENTROPY;
}
function looksLikePassword(value) {
  if (value.length < MIN_PASSWORD || isInnocent(value))
    return false;
  if (isRandom(value))
    return true;
  if (isWorded(value) || DOTTED_NAME.test(value))
    return false;
  if (hasBothCases(value) && value.length >= MIN_MIXED)
    return true;
  return /[A-Za-z]/.test(value) && /[0-9]|[^A-Za-z0-9_./-]/.test(value);
}
var isDistinctive = (value) => passes("distinctive", value);
function isRandom(value) {
  if (value.length < MIN_RANDOM || isMostlyWords(value) && !UUID.test(value))
    return false;
  const isMixed = /[A-Za-z]/.test(value) && (/[0-9]/.test(value) || hasBothCases(value));
  return isMixed && entropy(value) >= (HEX.test(value) ? MIN_HEX_ENTROPY : MIN_ENTROPY);
}
var runsOf = (value) => value.match(CASES)?.length ?? 0;
var isAlternating = (value) => 3 * runsOf(value) > value.length;
var isWord = (segment) => segment.length <= MAX_WORD && WORD.test(segment);
var isWorded = (value) => value.split(SEPARATOR).every(isWord);
function isMostlyWords(value) {
  let rest = 0;
  for (const segment of value.split(SEPARATOR))
    if (!isWord(segment))
      rest += segment.length;
  return 2 * rest <= value.length;
}
var hasBothCases = (value) => /[A-Z]/.test(value) && /[a-z]/.test(value);
function entropy(value) {
  const counts = new Map;
  for (const character of value)
    counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values())
    bits -= count / value.length * Math.log2(count / value.length);
  return bits;
}

// src/redaction/finding.ts
var MAX_WHOLE = 500;
var RUN = /[A-Za-z0-9+/=_%.-]+/y;
function endOfValue(text, start, end) {
  return end - start < MAX_WHOLE ? end : endOfMatch(RUN, text, end) ?? end;
}
function endOfMatch(pattern, text, start) {
  pattern.lastIndex = start;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}
function secretOfMatch(pattern, text, start) {
  if (endOfMatch(pattern, text, start) === undefined)
    return;
  pattern.lastIndex = start;
  return pattern.exec(text)?.indices?.findLast((place) => place !== undefined);
}
function mergeOverlaps(findings) {
  const result = [];
  let best = 0;
  for (const rank of ranksInOrder(findings)) {
    const { start, end, kind } = findings[rank];
    const last = result.at(-1);
    if (!last || start >= last.end) {
      result.push({ start, end, kind });
      best = rank;
      continue;
    }
    if (rank < best)
      last.kind = kind;
    best = Math.min(best, rank);
    last.end = Math.max(last.end, end);
  }
  return result;
}
function ranksInOrder(findings) {
  const count = findings.length;
  return Float64Array.from(findings, ({ start }, rank) => start * count + rank).sort().map((key) => key % count);
}
var marker = (kind) => `[redacted:${kind}]`;
function replaced(text, findings) {
  let result = "";
  let position = 0;
  for (const { start, end, kind } of findings) {
    result += text.slice(position, start) + marker(kind);
    position = end;
  }
  return result + text.slice(position);
}

// src/redaction/values.ts
var MAX_SKIPPED = 1e4;
var SKIPPED = /(?:[a-z_./-]{0,127}|[A-Z_./-]{0,127})(?:["'`]|[<>;,(){}[\]\\:?|]{0,15}\.?[ \t\n\r])|[^ \t\n\r"'`]{0,7}[ \t\n\r]|[^ \t\n\r"'`=]{0,7}["'`]|[a-z][a-z_-]{0,126}=\\{0,3}["'`]/y;
function nextValue(text, start) {
  const last = start + MAX_SKIPPED;
  let position = start;
  for (;; ) {
    const end = endOfMatch(SKIPPED, text, position);
    if (end === undefined || end > last)
      return position;
    position = end;
  }
}
function* beforeValues(text, offsets, reach) {
  let value = -1;
  for (const offset of offsets) {
    if (value < offset)
      value = nextValue(text, offset);
    if (value <= offset + reach)
      yield offset;
  }
}

// src/redaction/names.ts
var MAX_NAME = 80;
var MAX_JOINT = 500;
var MAX_VALUE_SEARCHED = 128;
var STEP = 64;
var REST = /[A-Za-z0-9_]{0,60}(?:-[A-Za-z0-9_]{1,60}){0,8}/y;
var REST_OF_WORD = /[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*/y;
var BUMP = /([a-z0-9])(?=[A-Z])|([A-Z])(?=[A-Z][a-z])/g;
var SEPARATOR2 = /[-. ]/g;
var KEY = /^keys?$/i;
var WORD_BEFORE = /([A-Za-z]{2,12})[ ]$/;
var UPPER = /^[A-Z0-9_]+$/;
var way = (pattern, check) => ({
  pattern: compiled(pattern, "dy"),
  ...check ? { check } : {}
});
var FOLLOWED = compiled("<followed>", "y");
var OTHER = way(String.raw`\(<quote>(<literal>)|(?:[ \t]{2,40}|[ \t]{0,40}\|[ \t]{0,40})(<run>)(?=[ \t\r\n|]|$)|,(<run>)(?=[ \t\r\n,]|$)`, "scrambled");
var CHOSEN = [way("(?:<worth>|<nested>)?<entered>"), OTHER];
var MADE = [way("(?:<worth>|<nested>)?<assigned>"), OTHER];
var OPTION = [way("[ \\t=]{1,3}<argument>")];
var WEAK = way("=\\\\{0,2}[\"'`]?<shell>", "weak");
var known = new Map;
var MAX_REMEMBERED2 = 1e4;
function roleOf(name) {
  if (known.has(name))
    return known.get(name);
  const snake = name.replace(BUMP, "$&_").replace(SEPARATOR2, "_").toLowerCase();
  const role = EXCLUDED_NAME.test(snake) ? undefined : ROLES.find(({ pattern }) => pattern.test(snake));
  if (known.size < MAX_REMEMBERED2)
    known.set(name, role);
  return role;
}
function* findNamed(text, anchors) {
  const findings = [];
  let position = 0;
  let value = 0;
  let noNameUntil = 0;
  let count = 0;
  for (const anchor of anchors) {
    if (anchor < position || anchor < noNameUntil || value > anchor + MAX_NAME + MAX_JOINT)
      continue;
    if (++count % STEP === 0)
      yield;
    const end = endOfMatch(REST, text, anchor) ?? anchor;
    const endOfWord = isNamePart(text.charCodeAt(end)) ? endOfMatch(REST_OF_WORD, text, end) : undefined;
    if (endOfWord !== undefined) {
      if (endOfWord - anchor > MAX_NAME)
        noNameUntil = endOfWord;
      continue;
    }
    const isFollowed = isBeforeValue(text, end);
    if (!isFollowed && !isBlank(text.charCodeAt(end)))
      continue;
    if (value < end)
      value = nextValue(text, end - 1);
    if (value > end + MAX_JOINT)
      continue;
    const start = startOfName(text, Math.max(position, anchor - MAX_NAME), anchor);
    position = end;
    if (!isFollowed && !text.startsWith("--", start))
      continue;
    const name = nameOf(text, start, end);
    const role = name.length <= MAX_NAME ? roleOf(name) : undefined;
    if (!role || isOtherText(text, start, end))
      continue;
    const { finding, next } = findValue(text, end, name, role);
    position = next;
    if (finding)
      findings.push(finding);
  }
  return findings;
}
function isBeforeValue(text, end) {
  if (text.charCodeAt(end) === EQUALS && !isSmall(text.charCodeAt(end - 1)))
    return true;
  return endOfMatch(FOLLOWED, text, end) !== undefined;
}
var EQUALS = 61;
var isSmall = (code) => code >= 97 && code <= 122;
var isBlank = (code) => code === 32 || code === 9;
function nameOf(text, start, end) {
  const name = text.slice(start, end);
  if (!KEY.test(name))
    return name;
  const word = WORD_BEFORE.exec(text.slice(Math.max(0, start - 14), start))?.[1];
  return word ? `${word}_${name}` : name;
}
function startOfName(text, first, anchor) {
  let start = anchor;
  while (start > first && isNamePart(text.charCodeAt(start - 1)))
    start--;
  return start;
}
var isNamePart = (code) => isSmall(code) || code >= 65 && code <= 90 || code >= 48 && code <= 57 || code === 95 || code === 45;
function isOtherText(text, start, end) {
  const before = text.slice(Math.max(0, start - 7), start).toLowerCase();
  return before === "public " || before.endsWith(":") && text.startsWith(":", end) || text.slice(start, end) === "PASS" && !text.startsWith("=", end);
}
function findValue(text, end, name, role) {
  let next = end;
  for (const { pattern, check } of waysOf(text, end, name, role)) {
    const found = secretOfMatch(pattern, text, end);
    if (!found)
      continue;
    const [start, stop] = found;
    if (passes(check ?? role.check, text.slice(start, stop))) {
      const whole = endOfValue(text, start, stop);
      return { finding: { start, end: whole, kind: role.kind }, next: whole };
    }
    if (stop - start > MAX_VALUE_SEARCHED)
      next = Math.max(next, start + Math.floor((stop - start) / 2));
  }
  return { next };
}
function waysOf(text, end, name, role) {
  if (name.startsWith("--"))
    return OPTION;
  const ways = role.check === "password" ? CHOSEN : MADE;
  const isVariable = text.startsWith("=", end) && UPPER.test(name) && WEAK_NAME.test(name.toLowerCase());
  return isVariable ? [WEAK, ...ways] : ways;
}

// src/lib/binary-search.ts
function lastUpTo(numbers, limit) {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = low + high >> 1;
    if ((numbers[middle] ?? 0) <= limit)
      low = middle + 1;
    else
      high = middle;
  }
  return low - 1;
}

// src/redaction/encoded.ts
var CHUNK = 1e5;
var MIN_LENGTH = 40;
var BASE64 = /^[A-Za-z0-9+/]+$/;
var END = /={0,2}(?![A-Za-z0-9+/=_-])/y;
var TEXT = /^[\t\n\r -~]+$/;
function* findEncoded(text, words, find) {
  const findings = [];
  for (const word of words) {
    if (word.end - word.start < MIN_LENGTH || text.charAt(word.start - 1) === "=")
      continue;
    const end = endOfMatch(END, text, word.end);
    const decoded = end === undefined ? undefined : yield* decodedText(text.slice(word.start, word.end));
    if (end === undefined || decoded === undefined)
      continue;
    const [inside] = yield* find(decoded);
    if (inside)
      findings.push({ start: word.start, end, kind: inside.kind });
  }
  return findings;
}
function* decodedText(run) {
  if (run.length % 4 === 1)
    return;
  let decoded = "";
  for (let from = 0;from < run.length; from += CHUNK) {
    const part = run.slice(from, from + CHUNK);
    const text = BASE64.test(part) ? Buffer.from(part, "base64").toString("latin1") : "";
    if (!TEXT.test(text))
      return;
    decoded += text;
    yield;
  }
  return decoded;
}

// src/redaction/literals.ts
var CHUNK2 = 1e5;

class Literals {
  #symbols = new Uint16Array(65536);
  #width;
  #keys;
  #children;
  #roots;
  #ends = [undefined];
  #fallbacks;
  #suffixes;
  constructor(literals, { ignoreCase = false } = {}) {
    const distinct = [...new Set(literals)].filter((literal) => literal !== "");
    let symbols = 0;
    let states = 1;
    for (const literal of distinct) {
      states += literal.length;
      for (let index = 0;index < literal.length; index++) {
        const code = literal.charCodeAt(index);
        if (this.#symbols[code] === 0)
          this.#symbols[code] = ++symbols;
      }
    }
    if (ignoreCase)
      for (let code = 65;code <= 90; code++)
        this.#symbols[code] = this.#symbols[code + 32] ?? 0;
    this.#width = symbols + 1;
    const size = 2 ** Math.ceil(Math.log2(2 * states));
    this.#keys = new Int32Array(size);
    this.#children = new Int32Array(size);
    this.#roots = new Int32Array(this.#width);
    this.#fallbacks = new Int32Array(states);
    this.#suffixes = new Int32Array(states);
    for (const literal of distinct)
      this.#add(literal);
    this.#link(distinct);
  }
  *search(text, visit) {
    for (let from = 0, state = 0;from < text.length; from += CHUNK2) {
      state = this.#scan(text, from, Math.min(from + CHUNK2, text.length), state, visit);
      yield;
    }
  }
  #scan(text, from, to, first, visit) {
    const symbols = this.#symbols;
    const roots = this.#roots;
    const ends = this.#ends;
    const suffixes = this.#suffixes;
    let state = first;
    for (let index = from;index < to; index++) {
      const symbol = symbols[text.charCodeAt(index)];
      if (symbol === 0)
        state = 0;
      else
        state = state === 0 ? roots[symbol] : this.#after(state, symbol);
      if (state !== 0 && (ends[state] !== undefined || suffixes[state] !== 0))
        this.#visit(state, index + 1, visit);
    }
    return state;
  }
  *offsets(text) {
    const offsets = new Map;
    yield* this.search(text, (literal, start) => {
      const known = offsets.get(literal);
      if (known)
        known.push(start);
      else
        offsets.set(literal, [start]);
    });
    return offsets;
  }
  #after(from, symbol) {
    if (symbol === 0)
      return 0;
    for (let state = from;state !== 0; state = this.#fallbacks[state]) {
      const child = this.#children[this.#place(state * this.#width + symbol)];
      if (child !== 0)
        return child;
    }
    return this.#roots[symbol];
  }
  #place(key) {
    const mask = this.#keys.length - 1;
    let place = Math.imul(key, 2654435761) >>> 7 & mask;
    while (this.#keys[place] !== 0 && this.#keys[place] !== key)
      place = place + 1 & mask;
    return place;
  }
  #add(literal) {
    let state = 0;
    for (let index = 0;index < literal.length; index++) {
      const symbol = this.#symbols[literal.charCodeAt(index)] ?? 0;
      state = this.#child(state, symbol) || this.#grow(state, symbol);
    }
    this.#ends[state] = literal;
  }
  #child(state, symbol) {
    return (state === 0 ? this.#roots[symbol] : this.#children[this.#place(state * this.#width + symbol)]) ?? 0;
  }
  #grow(state, symbol) {
    const child = this.#ends.push(undefined) - 1;
    if (state === 0) {
      this.#roots[symbol] = child;
      return child;
    }
    const place = this.#place(state * this.#width + symbol);
    this.#keys[place] = state * this.#width + symbol;
    this.#children[place] = child;
    return child;
  }
  #link(literals) {
    let states = literals.map(() => 0);
    for (let depth = 0, rest = [...literals];rest.length > 0; depth++) {
      const deeper = rest.map((literal, index) => {
        const parent = states[index] ?? 0;
        const symbol = this.#symbols[literal.charCodeAt(depth)] ?? 0;
        const child = this.#child(parent, symbol);
        if (parent !== 0) {
          const shorter = this.#after(this.#fallbacks[parent] ?? 0, symbol);
          this.#fallbacks[child] = shorter;
          this.#suffixes[child] = this.#ends[shorter] === undefined ? this.#suffixes[shorter] ?? 0 : shorter;
        }
        return child;
      });
      states = deeper.filter((_, index) => (rest[index]?.length ?? 0) > depth + 1);
      rest = rest.filter((literal) => literal.length > depth + 1);
    }
  }
  #visit(last, end, visit) {
    for (let state = last;state !== 0; state = this.#suffixes[state] ?? 0) {
      const literal = this.#ends[state];
      if (literal !== undefined)
        visit(literal, end - literal.length);
    }
  }
}

// src/redaction/private-keys.ts
var KIND = "private-key";
var BEGIN = "-----begin";
var END2 = "-----end";
var MAX_BETWEEN = 200;
var MIN_LINE = 16;
var MIN_FULL_LINE = 40;
var MAX_TAIL = 8000;
var BEGIN_MARK = /-----BEGIN[A-Z0-9 ]{0,30} PRIVATE KEY(?: BLOCK)?-----/y;
var END_MARK = /-----END[A-Z0-9 ]{0,30} PRIVATE KEY(?: BLOCK)?-----/y;
var BASE642 = /[A-Za-z0-9+/=]+/y;
var OTHER2 = /[^A-Za-z0-9+/=-]+|-/y;
var LINE_BREAK = /\r?\n|\\+n/g;
var LAST = /([A-Za-z0-9+/=]+)[^A-Za-z0-9+/=]{0,8}$/;
function findPrivateKeys(text, begins, ends) {
  const findings = [];
  let position = 0;
  for (const begin of begins) {
    const body = begin >= position ? endOfMatch(BEGIN_MARK, text, begin) : undefined;
    const end = body === undefined ? undefined : endOfKey(text, body);
    if (end === undefined)
      continue;
    findings.push({ start: begin, end, kind: KIND });
    position = end;
  }
  position = 0;
  for (const end of ends) {
    const after = endOfMatch(END_MARK, text, end);
    if (after === undefined)
      continue;
    const start = startOfTail(text, Math.max(position, end - MAX_TAIL), end);
    if (start < end)
      findings.push({ start, end: after, kind: KIND });
    position = after;
  }
  return findings;
}
function endOfKey(text, start) {
  let position = start;
  let last = start;
  let full;
  while (position < text.length && position - last <= MAX_BETWEEN) {
    const run = endOfMatch(BASE642, text, position);
    if (run !== undefined) {
      const length = run - position;
      position = run;
      if (length >= MIN_LINE)
        last = position;
      if (length >= MIN_FULL_LINE)
        full = position;
      continue;
    }
    const end = endOfMatch(END_MARK, text, position);
    if (end !== undefined)
      return full === undefined ? undefined : end;
    if (text.startsWith("-----BEGIN", position))
      return full;
    position = endOfMatch(OTHER2, text, position) ?? position + 1;
  }
  return full;
}
function startOfTail(text, start, end) {
  const above = text.slice(start, end);
  const starts = [0, ...Array.from(above.matchAll(LINE_BREAK), ({ index, 0: { length } }) => index + length)];
  const lines = above.split(LINE_BREAK);
  let result = end;
  for (let index = lines.length - 2;index >= 0; index--) {
    const last = LAST.exec(lines[index] ?? "");
    if (!last || (last[1] ?? "").length < MIN_LINE)
      break;
    if ((last[1] ?? "").length >= MIN_FULL_LINE || result < end)
      result = start + (starts[index] ?? 0) + last.index;
    else if (index < lines.length - 3)
      break;
  }
  return result;
}

// src/redaction/stripped-text.ts
var STEP2 = 4096;

class StrippedText {
  plain = "";
  #matches = [];
  static *of(text, pattern, starts) {
    const stripped = new StrippedText;
    const pieces = [];
    let position = 0;
    let size = 0;
    let length = 0;
    for (const [index, start] of starts.entries()) {
      if (index % STEP2 === 0)
        yield;
      const end = start < position ? undefined : endOfMatch(pattern, text, start);
      if (end === undefined)
        continue;
      pieces.push(text.slice(position, start));
      size += start - position;
      length += end - start;
      position = end;
      stripped.#matches.push({ at: size, length });
    }
    if (position === 0)
      return;
    stripped.plain = [...pieces, text.slice(position)].join("");
    return stripped;
  }
  restored(findings) {
    let match = 0;
    let skipped = 0;
    const original = (index) => {
      for (let next = this.#matches[match];next && next.at <= index; next = this.#matches[++match])
        skipped = next.length;
      return index + skipped;
    };
    return findings.map(({ start, end, kind }) => ({ start: original(start), end: original(end - 1) + 1, kind }));
  }
}
var STYLE = /(?:(?:\x1b|\\{1,3}(?:u001[bB]|x1[bB]|033|e))\[[0-9;:?]*[A-Za-z]|\x1b(?:[()][A-Z0-9]|[78=>]|\]8;;(?:\x07|\x1b\\))){1,1000}/y;
var STYLE_HINTS = ["\x1B", "\\u001b[", "\\u001B[", "\\x1b[", "\\x1B[", "\\033[", "\\e["];
var CHUNK3 = 1e5;
var MAX_STYLE = 1000;
function* withoutAnsi(text) {
  for (const hint of STYLE_HINTS) {
    if (text.includes(hint))
      return yield* StrippedText.of(text, STYLE, yield* startsOfStyles(text));
    yield;
  }
  return;
}
function* startsOfStyles(text) {
  const pattern = new RegExp(STYLE.source, "g");
  const starts = [];
  for (let from = 0;from < text.length; from += CHUNK3) {
    for (const { index } of text.slice(from, from + CHUNK3 + MAX_STYLE).matchAll(pattern)) {
      if (index < CHUNK3)
        starts.push(from + index);
    }
    yield;
  }
  return starts;
}
var WRAP = /(?:\r?\n|\\n)[ \t]*(?=[A-Za-z0-9+/=])/y;
var LINE = /[A-Za-z0-9+/]{60}/y;
var LINE_LENGTH = 60;
function unwrapped(text, words) {
  const lines = words.filter(({ start, end }) => end - start >= LINE_LENGTH);
  const ends = lines.map(({ end }) => end).filter((end) => endOfMatch(LINE, text, end - LINE_LENGTH) === end);
  return StrippedText.of(text, WRAP, ends);
}

// src/redaction/unprefixed.ts
var KIND2 = "api-key";
var MAX_REST = 40;
var STEP3 = 64;
var REST2 = /[A-Za-z0-9_.-]{0,40}/y;
var REST_OF_WORD2 = /[A-Za-z0-9_.-]+/y;
var KEY2 = compiled("<near>(?![A-Za-z0-9_=-]{131})([A-Za-z0-9_=-]{14,130})(?![A-Za-z0-9_=/+-])", "dy");
var OTHER3 = /(?:id|uuid|sha|md5|hash|commit|ref|rev|revision|release|version|digest|checksum|integrity|ur[il]|path|file|image|public|dsn)s?[0-9]{0,3}$/i;
function* findUnprefixed(text, offsets) {
  const findings = [];
  let count = 0;
  for (const [name, lengths] of PROVIDER_LENGTHS) {
    let first = 0;
    for (const offset of offsets.get(name) ?? []) {
      if (offset < first)
        continue;
      if (++count % STEP3 === 0)
        yield;
      const start = offset + name.length;
      const end = endOfMatch(REST2, text, start) ?? start;
      const endOfWord = endOfMatch(REST_OF_WORD2, text, end);
      if (endOfWord !== undefined)
        first = endOfWord - MAX_REST - name.length;
      const key = endOfWord === undefined ? secretOfMatch(KEY2, text, end) : undefined;
      if (!key || OTHER3.test(text.slice(start, end)))
        continue;
      const length = key[1] - key[0];
      if (!lengths.some(([least, most]) => least <= length && length <= most))
        continue;
      if (passes("unprefixed", text.slice(...key)))
        findings.push({ start: key[0], end: key[1], kind: KIND2 });
    }
  }
  return findings;
}

// src/redaction/words.ts
var CHUNK4 = 1e5;
var MIN_LENGTH2 = 20;
var IN_WORDS = Uint8Array.from({ length: 128 }, (_, code) => Number(/[A-Za-z0-9+/_-]/.test(String.fromCharCode(code))));
function* longWords(text) {
  const words = [];
  let start = 0;
  for (let from = 0;from < text.length; from += CHUNK4) {
    start = wordsIn(text, from, Math.min(from + CHUNK4, text.length), start, words);
    yield;
  }
  if (text.length - start >= MIN_LENGTH2)
    words.push({ start, end: text.length });
  return words;
}
function wordsIn(text, from, to, first, words) {
  let start = first;
  for (let index = from;index < to; index++) {
    if (IN_WORDS[text.charCodeAt(index)] === 1)
      continue;
    if (index - start >= MIN_LENGTH2)
      words.push({ start, end: index });
    start = index + 1;
  }
  return start;
}

// src/redaction/scanner.ts
var MAX_CONTEXT = 300;
var MAX_EXTENDED = 128;
var MAX_SEARCHED_AGAIN = 64;
var STEP4 = 64;
var MERGE_STEP = 16384;

class Scanner {
  #rules;
  #anchored = new Map;
  #others;
  #literals;
  constructor(own = []) {
    this.#rules = [...own, ...RULES];
    for (const [index, rule] of this.#rules.entries())
      for (const anchor of rule.anchors)
        this.#anchored.set(anchor, [...this.#anchored.get(anchor) ?? [], index]);
    this.#others = [...this.#rules.keys()].filter((index) => this.#rules[index]?.anchors.length === 0);
    const literals = [...this.#anchored.keys(), ...this.#rules.flatMap(({ after }) => after), ...NAME_ANCHORS];
    this.#literals = new Literals([...literals, ...PROVIDER_LENGTHS.keys(), BEGIN, END2], { ignoreCase: true });
  }
  *find(text) {
    return merged(yield* this.reasons(text));
  }
  *reasons(text) {
    const words = yield* longWords(text);
    const reasons = yield* this.#reasons(text, words);
    const wrapped = yield* unwrapped(text, words);
    const encoded = wrapped ? wrapped.restored(yield* this.#findEncoded(wrapped.plain, yield* longWords(wrapped.plain))) : yield* this.#findEncoded(text, words);
    for (const finding of encoded)
      reasons.push({ name: "Base64 of a text with secrets", finding });
    return reasons;
  }
  #findEncoded(text, words) {
    const scanner = this;
    return findEncoded(text, words, function* (decoded) {
      return merged(yield* scanner.#reasons(decoded, yield* longWords(decoded)));
    });
  }
  *#reasons(text, words) {
    const reasons = [];
    const add = (name, findings) => {
      for (const finding of findings)
        reasons.push({ name, finding });
    };
    const offsets = yield* this.#literals.offsets(text);
    add("Private key", findPrivateKeys(text, offsets.get(BEGIN) ?? [], offsets.get(END2) ?? []));
    for (const rule of this.#rulesOf(offsets, words))
      add(rule.name, yield* matchesOf(rule, text, offsets, words));
    add("Value of a secret name", yield* findNamed(text, yield* inOrder(offsets, NAME_ANCHORS)));
    add("Key behind the name of its provider", yield* findUnprefixed(text, offsets));
    return reasons;
  }
  #rulesOf(offsets, words) {
    const indices = new Set(words.length > 0 ? this.#others : []);
    for (const literal of offsets.keys())
      for (const index of this.#anchored.get(literal) ?? [])
        indices.add(index);
    return this.#rules.filter((_, index) => indices.has(index));
  }
}
var merged = (reasons) => mergeOverlaps(reasons.map(({ finding }) => finding));
function* matchesOf(rule, text, offsets, words) {
  const findings = [];
  let position = 0;
  let count = 0;
  const anchors = rule.anchors.length > 0 ? yield* inOrder(offsets, rule.anchors) : words.map(({ start }) => start);
  const contexts = yield* inOrder(offsets, rule.after);
  for (const anchor of rule.reach === undefined ? anchors : beforeValues(text, anchors, rule.reach)) {
    if (++count % STEP4 === 0)
      yield;
    if (rule.after.length > 0 && !isAfter(text, anchor, contexts))
      continue;
    for (const before of rule.before) {
      const at = anchor - before;
      if (at < position)
        continue;
      const found = secretOfMatch(rule.pattern, text, at);
      if (!found)
        continue;
      const start = extended(rule, text, found[0]);
      const end = found[1];
      if (rule.check === undefined || passes(rule.check, text.slice(start, end))) {
        position = endOfValue(text, start, end);
        findings.push({ start, end: position, kind: rule.kind });
      } else if (end - start > MAX_SEARCHED_AGAIN) {
        position = Math.floor((start + end) / 2);
      }
    }
  }
  return findings;
}
function* inOrder(offsets, literals) {
  const found = literals.flatMap((literal) => {
    const places = offsets.get(literal);
    return places ? [places] : [];
  });
  let all = found[0] ?? [];
  for (const places of found.slice(1))
    all = yield* union(all, places);
  return all;
}
function* union(one, other) {
  const result = [];
  for (let left = 0, right = 0;left < one.length || right < other.length; ) {
    if (result.length % MERGE_STEP === 0)
      yield;
    const next = Math.min(one[left] ?? Number.POSITIVE_INFINITY, other[right] ?? Number.POSITIVE_INFINITY);
    result.push(next);
    if (one[left] === next)
      left++;
    if (other[right] === next)
      right++;
  }
  return result;
}
function isAfter(text, anchor, contexts) {
  const context = contexts[lastUpTo(contexts, anchor)];
  if (context === undefined || anchor - context > MAX_CONTEXT)
    return false;
  return !text.slice(context, anchor).replaceAll("\\\n", "").includes(`
`);
}
function extended({ extend }, text, end) {
  if (extend === "")
    return end;
  let start = end;
  while (start > 0 && end - start < MAX_EXTENDED && extend.includes(text.charAt(start - 1)))
    start--;
  return start;
}

// src/redaction/steps.ts
function finished(steps) {
  for (;; ) {
    const step = steps.next();
    if (step.done)
      return step.value;
  }
}

// src/redaction/environment.ts
var KIND3 = "environment-variable";
var GIVEN_KIND = "given-secret";
var MIN_GIVEN = 4;
var MIN_LENGTH3 = 12;
var MIN_UNNAMED = 20;
var MAX_BYTES = 1e6;
var MAX_DEPTH = 3;
var MAX_FOLDERS = 500;
var SCANNER = new Scanner;
var WORKING_FOLDER = /^(?:OLD)?PWD$/;
var TEMPLATE = /\.(?:example|sample|template|dist|defaults?)$/;
function secretsIn(variables) {
  return Object.entries(variables).flatMap(([name, value = ""]) => secretValues(name, value).map((secret) => [secret, KIND3]));
}
function givenSecrets(json) {
  const values = valuesIn(json);
  if (!values?.every((value) => typeof value === "string"))
    return;
  const lines = values.flatMap((value) => [value, ...value.split(/\r?\n/)].map((text) => text.trim()));
  return lines.filter((text) => text.length >= MIN_GIVEN).map((text) => [text, GIVEN_KIND]);
}
function valuesIn(json) {
  try {
    const value = JSON.parse(json);
    return isObject(value) ? Object.values(value) : undefined;
  } catch {
    return;
  }
}
async function secretsOfProject(folder) {
  const repository = await repositoryOf(folder);
  const files = await Promise.all([...new Set([folder, repository])].map(envFiles));
  const contents = await Promise.all([...new Set(files.flat())].map(contentOf));
  return contents.flatMap((content) => secretsIn(parseEnv(content)));
}
function secretValues(name, value) {
  if (isSecret(name, value))
    return [value];
  const found = value.includes("://") ? finished(SCANNER.find(value)).map(({ start, end }) => value.slice(start, end)) : [];
  return found.filter((secret) => secret.length >= MIN_LENGTH3 && isDistinctive(secret));
}
function isSecret(name, value) {
  if (value.length < MIN_LENGTH3 || isInnocent(value) || WORKING_FOLDER.test(name))
    return false;
  if (roleOf(name))
    return true;
  return value.length >= MIN_UNNAMED && /^[A-Za-z0-9+/=_.~-]+$/.test(value) && passes("mixed", value);
}
async function repositoryOf(folder) {
  for (let path = folder;; path = dirname2(path)) {
    if (await exists(join4(path, ".git")))
      return path;
    if (path === dirname2(path))
      return folder;
  }
}
var exists = (path) => access(path).then(() => true, () => false);
async function envFiles(project) {
  const found = [];
  let folders = [project];
  for (let depth = 0, seen = 0;depth <= MAX_DEPTH && folders.length > 0; depth++) {
    const below = [];
    for (const folder of folders) {
      if (++seen > MAX_FOLDERS)
        return found;
      for (const entry of await readdir3(folder, { withFileTypes: true }).catch(() => [])) {
        const path = join4(folder, entry.name);
        if (isSearched(entry))
          below.push(path);
        if (isEnvFile(entry))
          found.push(path);
      }
    }
    folders = below;
  }
  return found;
}
var isSearched = (entry) => entry.isDirectory() && entry.name !== "node_modules" && (!entry.name.startsWith(".") || entry.name === ".devcontainer");
function isEnvFile(entry) {
  const { name } = entry;
  const isNamed = name === ".env" || name === ".envrc" || name.startsWith(".env.") || name.endsWith(".env");
  return isNamed && !TEMPLATE.test(name) && (entry.isFile() || entry.isSymbolicLink());
}
async function contentOf(path) {
  try {
    const about = await stat(path);
    return about.isFile() && about.size <= MAX_BYTES ? await readFile2(path, "utf8") : "";
  } catch {
    return "";
  }
}

// src/redaction/data-urls.ts
var DATA_URL = /^data:([a-z]{1,40}\/[a-z0-9.+-]{1,100})?(?:;[^,]{0,200})?,/i;
var TEXT_TYPE = /^(?:text\/|application\/(?:[a-z0-9.-]*\+)?(?:json|xml|yaml|toml|javascript|x-sh|x-yaml|sql)|image\/svg\+xml)/i;
function attachmentIn(url) {
  if (!url.startsWith("data:"))
    return;
  const head = DATA_URL.exec(url);
  if (!head)
    return;
  const [beginning, type = "text/plain"] = head;
  const isBase64 = beginning.toLowerCase().endsWith(";base64,");
  const body = url.slice(beginning.length);
  const withText = (text) => beginning + (isBase64 ? Buffer.from(text).toString("base64") : encodeURIComponent(text));
  return { text: TEXT_TYPE.test(type) ? decoded(body, isBase64) : undefined, withText };
}
function decoded(body, isBase64) {
  if (isBase64)
    return Buffer.from(body, "base64").toString();
  try {
    return decodeURIComponent(body);
  } catch {
    return body;
  }
}

// src/redaction/home-path.ts
var START = String.raw`(?<![A-Za-z0-9_.-])|(?<=(?<![A-Za-z0-9_-])-[A-Za-z])|(?<=\\[nrt])`;
function homeShortener(home) {
  if (home.length < 4)
    return (text) => text;
  const forms = [...new Set([home, JSON.stringify(home).slice(1, -1)])];
  const patterns = forms.map((form) => new RegExp(`(?:${START})${RegExp.escape(form)}(?![A-Za-z0-9_-]|\\.[A-Za-z0-9])`, "g"));
  return (text) => forms.some((form) => text.includes(form)) ? patterns.reduce((shortened, pattern) => shortened.replace(pattern, "~"), text) : text;
}

// src/redaction/json-strings.ts
var MIN_LENGTH4 = 4;
var MAX_NAMED = 16384;
var MAX_NAME2 = 100;
var STRUCTURE = new Set([
  "id",
  "type",
  "role",
  "tool",
  "name",
  "status",
  "mime",
  "sessionID",
  "messageID",
  "callID",
  "parentID",
  "projectID",
  "providerID",
  "modelID"
]);
var WORD_OR_ID = /^(?:[A-Za-z_-]{1,30}|(?:ses|msg|prt)_[A-Za-z0-9]{20,40})$/;
var FIELD = /^[A-Za-z]{1,30}$/;
function* textsOf(value, name = "") {
  if (typeof value === "string") {
    if (mayBeSecret(value, name))
      yield textOf(value, name);
  } else if (Array.isArray(value)) {
    for (const item of value)
      yield* textsOf(item, name);
  } else if (isObject(value)) {
    for (const [key, item] of Object.entries(value)) {
      if (mayBeKey(key))
        yield { text: key };
      yield* textsOf(item, nameOf2(key, value));
    }
  }
}
function* withTexts(value, exchange, name = "") {
  if (typeof value === "string")
    return mayBeSecret(value, name) ? exchange(textOf(value, name)) : value;
  if (Array.isArray(value)) {
    const items = [];
    for (const item of value)
      items.push(yield* withTexts(item, exchange, name));
    return items;
  }
  if (!isObject(value))
    return value;
  const taken = new Map;
  const entries = [];
  for (const [key, item] of Object.entries(value))
    entries.push([
      unused(mayBeKey(key) ? exchange({ text: key }) : key, taken),
      yield* withTexts(item, exchange, nameOf2(key, value))
    ]);
  yield;
  return Object.fromEntries(entries);
}
function nameOf2(key, { name, key: other }) {
  if (key !== "value")
    return key;
  return [name, other].find((said) => typeof said === "string") ?? key;
}
function unused(name, taken) {
  let n = taken.get(name) ?? 0;
  let result = name;
  while (taken.has(result))
    result = `${name} (${++n})`;
  taken.set(name, Math.max(n, 1)).set(result, 1);
  return result;
}
var mayBeSecret = (text, name) => text.length >= MIN_LENGTH4 && !(STRUCTURE.has(name) && WORD_OR_ID.test(text));
var mayBeKey = (key) => key.length >= MIN_LENGTH4 && !FIELD.test(key);
function textOf(text, name) {
  return name !== "" && name.length <= MAX_NAME2 && text.length <= MAX_NAMED && roleOf(name) ? { text, name } : { text };
}

// src/redaction/known-secrets.ts
var MIN_ENCODED = 12;
var MAX_AROUND = 4096;
var HEAD = 16;
var MAX_SAME_HEAD = 4;
var STEP5 = 16;

class KnownSecrets {
  #needles = new Map;
  #heads = new Map;
  #literals;
  constructor(needles, whole) {
    for (const needle of needles)
      if (!this.#needles.has(needle.text))
        this.#needles.set(needle.text, needle);
    for (const needle of whole)
      this.#addHead(needle);
    this.#literals = new Literals([...this.#needles.keys(), ...this.#heads.keys()]);
  }
  static *of(secrets) {
    const needles = [];
    const whole = [];
    let count = 0;
    for (const [text, kind] of secrets) {
      if (++count % STEP5 === 0)
        yield;
      needles.push(...formsOf(text, kind));
      if (canBeCut(text))
        whole.push({ text, kind, isEncoded: false });
    }
    return new KnownSecrets(needles, whole);
  }
  *search(text) {
    if (this.#needles.size === 0)
      return [];
    const wrapped = yield* unwrapped(text, yield* longWords(text));
    const found = yield* this.#search(text);
    return wrapped ? mergeOverlaps([...found, ...wrapped.restored(yield* this.#search(wrapped.plain))]) : found;
  }
  *#search(text) {
    const findings = [];
    let covered = 0;
    yield* this.#literals.search(text, (literal, start) => {
      if (start + literal.length <= covered)
        return;
      const needle = this.#needles.get(literal);
      const finding = needle ? findingAt(text, start, needle) : this.#cut(text, start, literal);
      if (!finding)
        return;
      findings.push(finding);
      covered = Math.max(covered, finding.end);
    });
    return findings.length > 0 ? mergeOverlaps(findings) : findings;
  }
  #addHead(needle) {
    const head = needle.text.slice(0, HEAD);
    const same = this.#heads.get(head);
    if (!same)
      this.#heads.set(head, [needle]);
    else if (same.length < MAX_SAME_HEAD)
      same.push(needle);
  }
  #cut(text, start, head) {
    for (const { text: value, kind } of this.#heads.get(head) ?? []) {
      let length = 0;
      while (length < value.length && value.charCodeAt(length) === text.charCodeAt(start + length))
        length++;
      if (2 * length > value.length)
        return { start, end: start + length, kind };
    }
    return;
  }
}
var canBeCut = (value) => value.length > HEAD && !value.includes("://");
function findingAt(text, at, { text: found, kind, isEncoded }) {
  let start = at;
  let end = at + found.length;
  if (isEncoded) {
    const first = Math.max(0, at - MAX_AROUND);
    const last = Math.min(text.length, end + MAX_AROUND);
    while (start > first && isBase64(text.charCodeAt(start - 1)))
      start--;
    while (end < last && isBase64(text.charCodeAt(end)))
      end++;
  }
  return { start, end, kind };
}
function formsOf(value, kind) {
  const plain = new Set([value, ...inJson(value), inHtml(value), ...inAddresses(value)]);
  const encoded = new Set([0, 1, 2].map((before) => base64Of(value, before)).filter((text) => text.length >= MIN_ENCODED));
  for (const text of [...encoded])
    encoded.add(text.replaceAll("+", "-").replaceAll("/", "_"));
  return [
    ...[...plain].map((text) => ({ text, kind, isEncoded: false })),
    ...[...encoded].map((text) => ({ text, kind, isEncoded: true }))
  ];
}
function inJson(value) {
  const plain = (text) => JSON.stringify(text).slice(1, -1);
  const php = (text) => plain(text).replaceAll("/", "\\/");
  const go = (text) => plain(text).replace(/[&<>]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
  return [plain, php, go].flatMap((escaped) => {
    const once = escaped(value);
    return [once, plain(once), escaped(once)];
  });
}
var inHtml = (value) => value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
function inAddresses(value) {
  const escaped = encodeURIComponent(value.toWellFormed());
  const strict = escaped.replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  const forms = [escaped, strict, strict.replaceAll("%2F", "/")];
  return [...forms, ...forms.map((form) => form.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()))];
}
function base64Of(value, before) {
  const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(value)]);
  const first = Math.ceil(before * 8 / 6);
  return bytes.toString("base64").slice(first, Math.floor(bytes.length * 8 / 6));
}
var isBase64 = (code) => code >= 97 && code <= 122 || code >= 65 && code <= 90 || code >= 47 && code <= 57 || code === 43 || code === 61 || code === 45 || code === 95;

// src/redaction/time-slices.ts
import { setImmediate } from "node:timers/promises";
var SLICE_MS = 8;

class TimeSlices {
  #began = performance.now();
  get isOver() {
    return performance.now() - this.#began >= SLICE_MS;
  }
  async run(steps) {
    for (;; ) {
      const step = steps.next();
      if (step.done)
        return step.value;
      await this.yield();
    }
  }
  async map(items, convert) {
    const converted = [];
    for (const item of items) {
      converted.push(convert(item));
      await this.yield();
    }
    return converted;
  }
  async yield() {
    if (!this.isOver)
      return;
    await setImmediate();
    this.#began = performance.now();
  }
}

// src/redaction/variants.ts
var MAX_KNOWN_LENGTH = 4096;
var LINE2 = /[A-Za-z0-9+/=]{40,}/g;
var END_OF_LINE = /\n|\\{1,8}[nr]/;
var ESCAPED = /^(?:[^%]*%[0-9A-Fa-f]{2})+[^%]*$/;
var BASE643 = /^(?:[A-Za-z0-9+/]{4}){2,}(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)$/;
var LOGIN = /^[ -9;-~]{0,64}:([ -~]+)$/;
var variants = (secret) => END_OF_LINE.test(secret) ? insideOf(secret) : [secret, ...insideOf(secret)].filter(canBeKnown);
var insideOf = (secret) => [...linesOf(secret), ...unescaped(secret), ...passwordIn(secret)].filter(canBeKnown);
var canBeKnown = (value) => value.length <= MAX_KNOWN_LENGTH && isDistinctive(value);
function linesOf(secret) {
  const lines = secret.split(END_OF_LINE);
  return lines.length > 1 ? lines.flatMap((line) => line.match(LINE2) ?? []) : [];
}
function unescaped(secret) {
  if (secret.length > MAX_KNOWN_LENGTH || !ESCAPED.test(secret))
    return [];
  try {
    return [decodeURIComponent(secret)];
  } catch {
    return [];
  }
}
function passwordIn(secret) {
  const login = secret.length <= MAX_KNOWN_LENGTH && BASE643.test(secret) ? LOGIN.exec(Buffer.from(secret, "base64").toString()) : null;
  return login?.slice(1) ?? [];
}

// src/redaction/redactor.ts
var DENIED = "private";
var MAX_FOUND = 2000;
var MARKER = /\[redacted:([a-z0-9-]+)\]/g;

class Redactor {
  #allow;
  #shorten;
  #known = new Map;
  #removed = new Set;
  #scanner;
  #needles;
  #unsearched = [];
  #memo = new Map;
  constructor({ allow, deny, home, rules }) {
    this.#scanner = new Scanner(rules);
    this.#allow = new Set(allow);
    this.#shorten = homeShortener(home);
    this.learn(deny.map((text) => [text, DENIED]));
  }
  get known() {
    return this.#known.size;
  }
  learn(secrets) {
    for (const [secret, kind] of secrets)
      for (const value of [secret, ...insideOf(secret)]) {
        if (this.#known.has(value) || this.#allow.has(value) || this.#allow.has(kind))
          continue;
        this.#known.set(value, kind);
        this.#unsearched.push([value, kind]);
      }
  }
  recall(removed) {
    this.learn(removed);
    for (const [value] of removed)
      if (this.#known.has(value))
        this.#removed.add(value);
  }
  async redact(value) {
    const slices = new TimeSlices;
    const texts = new Map;
    for (const text of textsOf(value)) {
      texts.set(keyOf(text), text);
      if (slices.isOver)
        await slices.yield();
    }
    const fresh = new Map;
    for (const [key, text] of texts)
      if (!this.#memo.has(key))
        fresh.set(key, await this.#masked(text, slices));
    await this.#search(texts, fresh, slices);
    const kinds = new Map;
    const exchange = (text) => {
      const redacted = this.#memo.get(keyOf(text)) ?? text.text;
      if (redacted !== text.text)
        for (const [, kind = ""] of redacted.matchAll(MARKER))
          kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      return redacted;
    };
    const redacted = await slices.run(withTexts(value, exchange));
    return { value: redacted, ...counted(kinds), removed: this.#secretsRemoved() };
  }
  async#masked({ text, name }, slices) {
    const attachment = attachmentIn(text);
    if (attachment) {
      if (attachment.text === undefined)
        return text;
      const masked = await this.#maskedText(attachment.text, undefined, slices);
      return masked === attachment.text ? text : attachment.withText(masked);
    }
    return await this.#maskedText(text, name, slices);
  }
  async#maskedText(text, name, slices) {
    const styles = await slices.run(withoutAnsi(text));
    const plain = styles?.plain ?? text;
    const findings = await slices.run(name === undefined ? this.#scanner.find(plain) : this.#findField(name, plain));
    const wanted = findings.filter(({ start, end, kind }) => !this.#allow.has(kind) && !this.#allow.has(plain.slice(start, end)));
    if (wanted.length === 0)
      return this.#shorten(text);
    for (const { start, end, kind } of wanted)
      for (const value of variants(plain.slice(start, end)))
        this.#discover(value, kind);
    return this.#shorten(replaced(text, styles?.restored(wanted) ?? wanted));
  }
  #discover(value, kind) {
    if (this.#removed.size < MAX_FOUND)
      this.recall([[value, kind]]);
  }
  #secretsRemoved() {
    return [...this.#removed].flatMap((value) => {
      const kind = this.#known.get(value);
      return kind === undefined || kind === DENIED ? [] : [[value, kind]];
    });
  }
  async#search(texts, fresh, slices) {
    const added = this.#unsearched.length > 0 ? await slices.run(KnownSecrets.of(this.#unsearched)) : undefined;
    if (added)
      this.#needles = await slices.run(KnownSecrets.of(this.#known));
    const memo = new Map;
    const places = new Set;
    for (const key of texts.keys()) {
      await slices.yield();
      const masked = fresh.get(key);
      const before = masked ?? this.#memo.get(key) ?? "";
      const needles = masked === undefined ? added : this.#needles;
      memo.set(key, needles ? await slices.run(without(before, needles, places)) : before);
    }
    this.#unsearched = [];
    this.#memo = memo;
    await this.#noteRemoved([...places], slices);
  }
  async#noteRemoved(places, slices) {
    if (places.length === 0)
      return;
    for (const [value, kind] of this.#known) {
      if (this.#removed.has(value))
        continue;
      const needles = await slices.run(KnownSecrets.of([[value, kind]]));
      for (const text of places) {
        if ((await slices.run(needles.search(text))).length === 0)
          continue;
        this.#removed.add(value);
        break;
      }
    }
  }
  *#findField(name, text) {
    const head = `"${name}": "`;
    const clipped = (yield* this.#scanner.find(`${head}${text}"`)).map(({ start, end, kind }) => ({
      start: Math.max(0, start - head.length),
      end: Math.min(text.length, end - head.length),
      kind
    })).filter(({ start, end }) => start < end);
    const role = roleOf(name);
    return role && passes(role.check, text) && !/[ \t\r\n]/.test(text) ? mergeOverlaps([...clipped, { start: 0, end: text.length, kind: "secret" }]) : clipped;
  }
}
function counted(kinds) {
  const inOrder = [...kinds].sort(([, one], [, other]) => other - one);
  return { count: inOrder.reduce((sum, [, count]) => sum + count, 0), kinds: Object.fromEntries(inOrder) };
}
function* without(text, needles, places) {
  const attachment = attachmentIn(text);
  if (!attachment)
    return yield* withoutKnown(text, needles, places);
  if (attachment.text === undefined)
    return text;
  const searched = yield* withoutKnown(attachment.text, needles, places);
  return searched === attachment.text ? text : attachment.withText(searched);
}
function* withoutKnown(text, needles, places) {
  const styles = yield* withoutAnsi(text);
  const plain = styles?.plain ?? text;
  const found = yield* needles.search(plain);
  if (found.length === 0)
    return text;
  for (const { start, end } of found)
    places.add(plain.slice(start, end));
  return replaced(text, outsideMarkers(text, styles?.restored(found) ?? found));
}
function outsideMarkers(text, findings) {
  const markers = [...text.matchAll(MARKER)];
  let next = 0;
  return findings.filter(({ start, end }) => {
    let marker = markers[next];
    while (marker && marker.index + marker[0].length <= start)
      marker = markers[++next];
    return !marker || marker.index >= end;
  });
}
var keyOf = ({ text, name }) => name === undefined ? text : `${name}\x00${text}`;

// src/privacy/path-reader.ts
import { posix } from "node:path";
var WORD2 = /[^\x00-\x20\s"'`<>|;&(){}=,:]+/g;
var PIECES = /(?:[^\x00-\x20\s"'`<>|;&(){}=,:]+|"[^"\n]*"|'[^'\n]*')+/g;
var QUOTED = /(?<=["'`])[^"'`\n]+(?=["'`])/g;
var LINE3 = /^[^:\n]+/gm;
var MAX_PATH = 4096;
var SEPARATOR3 = /[ "'`<>|;&()=,:]/g;
var STAND_IN = /[\ue000-\ue07f]/g;
var FIRST_STAND_IN = 57344;
var BRACES = /\{([^\s{}"'`:;()=,]*,[^\s{}"'`:;()=]*)\}/;
var BRACED_WORD = /[^\s"'`<>|;&()=:]+/g;
var MAX_EXPANDED = 16384;
var MAX_WORKING_DIRECTORIES = 32;
var HOME = /\$HOME\b|(?<![\w.~/\\-])~(?![\w.~-])/g;
var COMPUTED = /(?:\$\([^()\n]*\)|`)["']?(?=[/\\])/g;
var VARIABLE = /^\$\w+\//;
var CHANGE_DIRECTORY = new RegExp(String.raw`(?<![^\s;&|("'])(?:cd|pushd|-C)\s+(?:-\S+\s+){0,3}(${PIECES.source})`, "g");

class PathReader {
  home;
  #folder;
  #inFolder;
  constructor(folder, home) {
    this.home = home;
    this.#folder = slashed(folder);
    this.#inFolder = folder.length < 2 ? undefined : new RegExp(`${folder.replace(/[^]/g, inAnyForm)}(?=[/\\\\])`, "g");
  }
  readable(text) {
    const known = this.home.length < 2 ? decoded2(text) : decoded2(text).replace(HOME, () => asWord(this.home));
    const whole = known.replace(COMPUTED, "$& .");
    return this.#inFolder ? whole.replace(this.#inFolder, () => ` ${asWord(this.#folder)}`) : whole;
  }
  workingDirectories(command, from) {
    const start = posix.resolve(this.#folder, slashed(from));
    const folders = new Set([start]);
    let last = start;
    for (const [, word = ""] of [...this.readable(expand(command)).matchAll(CHANGE_DIRECTORY)].slice(0, MAX_WORKING_DIRECTORIES)) {
      const folder = slashed(plain(unquoted(word)).trim()).replace(VARIABLE, "");
      last = posix.resolve(last, folder);
      folders.add(posix.resolve(start, folder)).add(last);
    }
    folders.delete(this.#folder);
    return [...folders];
  }
  resolve(word, workingDirectories) {
    const names = namesIn2(slashed(plain(word).trim()));
    return [this.#folder, ...workingDirectories].flatMap((base) => [...names].map((name) => posix.relative(this.#folder, posix.resolve(base, name))));
  }
}
function expand(text) {
  const visible = finished(withoutAnsi(text))?.plain ?? text;
  return BRACES.test(visible) ? visible.replace(BRACED_WORD, (word) => word.includes("{") && word.length <= MAX_PATH ? expandBraces(word).join(" ") : word) : visible;
}
function* pathCandidates(text, names) {
  const joined = names.reduce((result, name) => result.replaceAll(name, asWord(name)), text);
  for (const form of [WORD2, PIECES, QUOTED, LINE3]) {
    for (const [word] of joined.matchAll(form))
      if (word.length <= MAX_PATH)
        yield form === PIECES ? unquoted(word) : word;
  }
}
var unquoted = (text) => text.replaceAll('"', "").replaceAll("'", "");
var isDivided = (name) => name.search(SEPARATOR3) >= 0;
function namesIn2(word) {
  const whole = word.replace(/^(?:\+\+\+|---) /, "");
  const inner = whole.replace(/^(?:-[A-Za-z])?(?:@|!?\[)?/, "").replace(/(?<=\w)[\].!?*]+$/, "");
  const bare = /[/.]/.test(inner) ? inner : whole;
  const names = new Set([whole, bare, bare.replace(VARIABLE, "")]);
  if (/^[abciow]\//.test(bare))
    names.add(bare.slice(2));
  return names.add(posix.normalize(bare.replace(VARIABLE, "")).replace(/^(?:\.\.\/)+/, ""));
}
function decoded2(text) {
  return text.replace(/\\(["'`])/g, "$1").replace(/\$\{(\w+)\}/g, "$$$1").replace(/\\([ &;()=,])/g, (_, sign) => asWord(sign)).replace(/file:\/\/([^\x00-\x20\s"'`<>?#]*)[?#]?/g, (_, path) => ` ${decodedAddress(path)} `);
}
function decodedAddress(path) {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
function expandBraces(word) {
  let words = [word];
  for (;; ) {
    const more = words.flatMap((each) => {
      const [group, choices] = BRACES.exec(each) ?? [];
      return group !== undefined && choices !== undefined ? choices.split(",").map((choice) => each.replace(group, () => choice)) : [each];
    });
    if (more.length === words.length || more.length * word.length > MAX_EXPANDED)
      return words;
    words = more;
  }
}
function inAnyForm(character) {
  if (character === "/" || character === "\\")
    return "[/\\\\]+";
  return character === asWord(character) ? RegExp.escape(character) : `[${character}${asWord(character)}]`;
}
var slashed = (path) => path.replaceAll("\\", "/").replace(/^(?=[A-Za-z]:\/)/, "/");
var asWord = (name) => name.replace(SEPARATOR3, (character) => String.fromCharCode(character.charCodeAt(0) + FIRST_STAND_IN));
var plain = (word) => word.replace(STAND_IN, (character) => String.fromCharCode(character.charCodeAt(0) - FIRST_STAND_IN));

// src/privacy/path-matcher.ts
class PathMatcher {
  #patterns;
  constructor(patterns) {
    this.#patterns = patterns.map(compiled2);
  }
  find(text, project, workingDirectories) {
    const expanded = expand(text);
    const unbroken = unquoted(expanded);
    const isWorkingDirectory = (name) => workingDirectories.some((folder) => folder.includes(name));
    const likely = this.#patterns.filter(({ names }) => names.every((name) => unbroken.includes(name) || isWorkingDirectory(name)));
    if (likely.length === 0)
      return;
    const readable = project.readable(expanded);
    for (const { globs, names, divided } of likely) {
      const required = names.filter((name) => !isWorkingDirectory(name));
      for (const word of pathCandidates(readable, divided)) {
        if (!required.every((name) => word.includes(name)))
          continue;
        const path = project.resolve(word, workingDirectories).find((candidate) => globs.some((glob) => glob.match(candidate)));
        if (path !== undefined)
          return path;
      }
    }
    return;
  }
}
function compiled2(pattern) {
  const rooted = pattern.replace(/^\.?\/|\/+$/g, "");
  const path = rooted.replace(/\/\*\*$/, "");
  const certain = path.replace(/\{[^}]*\}|\[[^\]]*\]|^!/g, "*");
  const names = certain.split(/[^A-Za-z0-9._-]+/).filter((name) => /[^.]/.test(name));
  const divided = certain.split(/[/*?\\{}[\]]+/).filter(isDivided);
  const glob = rooted.includes("/") ? path : `**/${path}`;
  return { globs: [new Bun.Glob(glob), new Bun.Glob(`${glob}/**`)], names, divided };
}

// src/privacy/exclusions.ts
var LISTING_TOOLS = new Set(["glob", "list"]);
var note = (path) => `[excluded: ${path}]`;

class Exclusions {
  home;
  #paths;
  constructor(patterns, home) {
    this.home = home;
    this.#paths = patterns.length > 0 ? new PathMatcher(patterns) : undefined;
  }
  async apply(document) {
    const paths = this.#paths;
    if (!paths)
      return document;
    const slices = new TimeSlices;
    const allowed = (transcript) => withoutExcluded(transcript, paths, this.home, slices);
    const children = [];
    for (const child of document.children ?? [])
      children.push(await allowed(child));
    return { ...document, ...await allowed(document), ...children.length > 0 ? { children } : {} };
  }
}
async function withoutExcluded({ session, messages }, paths, home, slices) {
  const project = new PathReader(typeof session.directory === "string" ? session.directory : "/", home);
  const find = (texts, { command, workdir } = {}) => {
    const folders = project.workingDirectories(textsIn(command).join(" "), typeof workdir === "string" ? workdir : "");
    return firstIn(texts, (text) => paths.find(text, project, folders));
  };
  const diffs = (holder) => withoutDiffs(holder, find);
  return {
    session: withoutUndone(diffs(session), find),
    messages: await slices.map(messages, (message) => withoutContents(message, find, diffs))
  };
}
function withoutContents(message, find, diffs) {
  const result = { ...message };
  if (isObject(message.info))
    result.info = diffs(message.info);
  if (Array.isArray(message.parts))
    result.parts = withoutAttached(message.parts.map((part) => isObject(part) ? withoutOutput(part, find) : part), find);
  if (Array.isArray(message.content))
    result.content = message.content.map((block) => isObject(block) ? withoutOutput(block, find) : block);
  return message.type === "shell" ? withoutShell(result, find) : result;
}
function withoutDiffs(holder, find) {
  const { summary } = holder;
  if (!isObject(summary) || !Array.isArray(summary.diffs))
    return holder;
  const diffs = summary.diffs.map((diff) => {
    if (!isObject(diff))
      return diff;
    const path = find([String(diff.file ?? diff.path ?? "")]);
    if (path === undefined)
      return diff;
    return {
      ...diff,
      ...Object.fromEntries(["patch", "before", "after"].filter((key) => (key in diff)).map((key) => [key, key === "before" ? "" : note(path)]))
    };
  });
  return { ...holder, summary: { ...summary, diffs } };
}
function withoutUndone(session, find) {
  const { revert } = session;
  if (!isObject(revert) || typeof revert.diff !== "string")
    return session;
  const path = find([revert.diff]);
  return path === undefined ? session : { ...session, revert: { ...revert, diff: note(path) } };
}
function withoutOutput(part, find) {
  const { state } = part;
  if (!isObject(state))
    return part;
  const tool = String(part.tool ?? part.name ?? "");
  const input = textsIn(state.input);
  const output = LISTING_TOOLS.has(tool) ? [] : textsIn([state.output, state.title, state.metadata, state.content, state.structured, state.raw, state.error]);
  const path = find([...input, ...output], isObject(state.input) ? state.input : {});
  if (path === undefined)
    return part;
  const { time, status } = state;
  const contents = state.content === undefined ? { output: note(path) } : { content: [{ type: "text", text: note(path) }] };
  const failed = status === "error" ? { error: isObject(state.error) ? { ...state.error, message: note(path) } : note(path) } : {};
  return {
    ...part,
    state: {
      status,
      input: { filePath: path },
      title: path,
      metadata: {},
      ...contents,
      ...failed,
      ...time === undefined ? {} : { time }
    }
  };
}
function withoutAttached(parts, find) {
  const excluded = parts.filter(isObject).find((part) => part.type === "file" && attachedPath(part, find) !== undefined);
  if (!excluded)
    return parts;
  return parts.map((part) => {
    if (!isObject(part))
      return part;
    const path = attachedPath(excluded, find) ?? "";
    if (part.type === "text" && part.synthetic === true)
      return { ...part, text: note(path) };
    const own = part.type === "file" ? attachedPath(part, find) : undefined;
    return own === undefined ? part : { id: part.id, sessionID: part.sessionID, messageID: part.messageID, type: "text", text: note(own) };
  });
}
function attachedPath(part, find) {
  const source = isObject(part.source) ? String(part.source.path ?? "") : "";
  const url = typeof part.url === "string" && !part.url.startsWith("data:") ? part.url.split("?")[0] ?? "" : "";
  return find([source, url, String(part.filename ?? "")]);
}
function withoutShell(message, find) {
  const path = find(textsIn([message.command, message.output]), message);
  return path === undefined ? message : { ...message, output: note(path) };
}
function firstIn(texts, pathIn) {
  for (const text of texts) {
    const path = pathIn(text);
    if (path !== undefined)
      return path;
  }
  return;
}
function textsIn(value) {
  if (typeof value === "string")
    return value.startsWith("data:") ? [] : [value];
  if (Array.isArray(value))
    return value.flatMap(textsIn);
  return isObject(value) ? Object.entries(value).flatMap(([key, item]) => [key, ...textsIn(item)]) : [];
}

// src/privacy/filter.ts
class PrivacyFilter {
  privacy;
  machine;
  #exclusions;
  #redactor;
  constructor(privacy, machine) {
    this.privacy = privacy;
    this.machine = machine;
    const { exclude, redact } = "problem" in privacy ? { exclude: [], redact: false } : privacy;
    this.#exclusions = new Exclusions(exclude, machine.home);
    this.#redactor = redact ? new Redactor({ ...redact, home: machine.home }) : undefined;
  }
  get knownSecrets() {
    return this.#redactor?.known ?? 0;
  }
  async apply(document, removed) {
    if ("problem" in this.privacy)
      throw new Failure("refused", this.privacy.problem);
    const allowed = await this.#exclusions.apply(document);
    if (!this.#redactor)
      return { document: allowed, redactions: 0, kinds: {}, removed };
    const { directory } = allowed.session;
    this.#redactor.learn(secretsIn(this.machine.env));
    this.#redactor.learn(secretsGiven(this.machine.env));
    if (typeof directory === "string")
      this.#redactor.learn(await secretsOfProject(directory));
    this.#redactor.recall(removed);
    const { session, messages, children } = allowed;
    const {
      value,
      count,
      kinds,
      removed: all
    } = await this.#redactor.redact({ session, messages, ...children ? { children } : {} });
    return { document: { ...allowed, ...value }, redactions: count, kinds, removed: all };
  }
}
function secretsGiven({ BETTER_SHARE_SECRETS: json }) {
  const secrets = json ? givenSecrets(json) : [];
  if (!secrets)
    throw new Failure("refused", "BETTER_SHARE_SECRETS must be a JSON object of names and texts.");
  return secrets;
}

// src/server/api.ts
import { randomBytes } from "node:crypto";

// src/server/answers.ts
var MAX_LINK_CHARACTERS = 2000;
var PRINTABLE = /^[\x21-\x7e]+$/;
var SIGNED_HEADER = /^(content-type|content-encoding|cache-control|if-none-match|x-amz-[a-z0-9-]+)$/i;
function readCreation({
  url,
  secret,
  createdAt,
  plugin,
  audience,
  password,
  shareExpiresAt
}) {
  if (typeof secret !== "string" || !PRINTABLE.test(secret) || !isTime(createdAt))
    return;
  const link = readUrl(url)?.href;
  if (!link || link.length > MAX_LINK_CHARACTERS)
    return;
  return {
    url: link,
    secret,
    createdAt,
    plugin: isRelease(plugin) ? plugin : undefined,
    audience: typeof audience === "string" ? audience : undefined,
    password: typeof password === "string" && PASSWORD.test(password) ? password : undefined,
    expiresAt: isTime(shareExpiresAt) ? shareExpiresAt : undefined
  };
}
var PASSWORD = /^[\x21-\x7e]{8,200}$/;
var isRelease = (value) => typeof value === "string" && /^[\w.-]{1,64}$/.test(value);
function readUploadLink({
  presignedUrl,
  headers = {},
  createdAt,
  shareExpiresAt,
  kind,
  revision
}) {
  const url = readUrl(presignedUrl);
  if (!url || !isObject(headers) || !isTime(createdAt))
    return;
  return {
    url,
    headers: sendable(headers),
    createdAt,
    expiresAt: isTime(shareExpiresAt) ? shareExpiresAt : undefined,
    revision: kind !== undefined && isRevision(revision) ? revision : undefined
  };
}
function readCommitted({ revision, items, next }) {
  if (!isRevision(revision))
    return;
  return {
    revision,
    items: new Set(Array.isArray(items) ? items : []),
    next: isObject(next) ? readUploadLink(next) : undefined
  };
}
function readUrl(value) {
  if (typeof value !== "string" || !URL.canParse(value))
    return;
  const url = new URL(value);
  const isWeb = url.protocol === "https:" || url.protocol === "http:";
  return isWeb && !url.username && !url.password ? url : undefined;
}
function sendable(headers) {
  const entries = Object.entries(headers).filter((entry) => SIGNED_HEADER.test(entry[0]) && typeof entry[1] === "string" && /^[\x20-\x7e]*$/.test(entry[1]));
  return Object.fromEntries(entries);
}
var isRevision = (value) => Number.isSafeInteger(value);
var isTime = (value) => typeof value === "number" && !Number.isNaN(new Date(value).getTime());

// src/lib/sleep.ts
function sleep(milliseconds, signal) {
  if (signal?.aborted)
    return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    timer.unref();
    signal?.addEventListener("abort", done, { once: true });
  });
}
var backoffAt = (pauses, attempt) => pauses[Math.min(attempt, pauses.length - 1)] ?? 0;

// src/lib/proxy.ts
function isProxied(url, env) {
  if (!readsProxies(env) || !proxyOf(url, env))
    return false;
  const { host, hostname } = url;
  const exceptions = `${env.no_proxy ?? ""},${env.NO_PROXY ?? ""}`.toLowerCase().split(/[\s,]+/);
  return !exceptions.filter(Boolean).some((entry) => entry === "*" || isWithin(entry, hostname) || entry === host);
}
function proxyOf({ protocol }, env) {
  const variable = protocol === "https:" ? "https_proxy" : "http_proxy";
  const proxy = env[variable] || env[variable.toUpperCase()];
  return proxy && (URL.canParse(proxy) ? new URL(proxy).host || proxy : proxy);
}
var readsProxies = (env) => process.versions.bun !== undefined || env.NODE_USE_ENV_PROXY === "1" && canReadProxies();
function canReadProxies() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  return major >= 24 || major === 22 && minor >= 21;
}
function isWithin(entry, hostname) {
  const domain = entry.replace(/^\*?\./, "");
  return hostname === domain || hostname.endsWith(`.${domain}`);
}

// src/server/connection-failure.ts
var MAX_CAUSES = 3;
var RETRY = "Check the address and your network.";
var CAUSES = [
  {
    codes: [
      "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
      "UNABLE_TO_GET_ISSUER_CERT",
      "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
      "SELF_SIGNED_CERT_IN_CHAIN",
      "DEPTH_ZERO_SELF_SIGNED_CERT",
      "CERT_UNTRUSTED"
    ],
    sentence: (who) => `The certificate of ${who} is from an authority that is not known here. If it is your organisation's, set NODE_EXTRA_CA_CERTS to the file of its certificate and restart.`
  },
  {
    codes: ["CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID"],
    sentence: (who) => `The certificate of ${who} is not valid today. Check the date of this machine, and tell who runs the server.`
  },
  {
    codes: ["ERR_TLS_CERT_ALTNAME_INVALID", "HOSTNAME_MISMATCH"],
    sentence: (who) => `The certificate of ${who} is one for another name. Check the address.`
  },
  {
    codes: [
      "EPROTO",
      "ERR_SSL_WRONG_VERSION_NUMBER",
      "ERR_SSL_PACKET_LENGTH_TOO_LONG",
      "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE"
    ],
    sentence: (who) => `${who} does not answer with TLS. Check whether its address begins with http: or https:.`
  },
  {
    codes: ["ENOTFOUND", "EAI_AGAIN", "EAI_FAIL", "ENODATA", "FailedToOpenSocket"],
    sentence: (_, way) => `The name of ${way} cannot be resolved. ${RETRY}`
  },
  {
    codes: ["ECONNREFUSED", "ConnectionRefused"],
    sentence: (_, way) => `${way} refuses connections: nothing runs at this address. ${RETRY}`
  },
  {
    codes: ["EHOSTUNREACH", "ENETUNREACH", "ENETDOWN", "EADDRNOTAVAIL"],
    sentence: (_, way) => `There is no way to ${way} from this network. ${RETRY}`
  },
  {
    codes: ["ECONNRESET", "EPIPE", "UND_ERR_SOCKET", "ConnectionClosed"],
    sentence: (_, way) => `${way} closed the connection before its answer was complete. Try again.`
  },
  {
    codes: ["ERR_PROXY_TUNNEL", "UND_ERR_ABORTED"],
    sentence: (_, way) => `${way} does not let the request through. Ask who runs the proxy.`
  },
  {
    codes: ["ETIMEDOUT", "UND_ERR_CONNECT_TIMEOUT", "ConnectionTimeout"],
    sentence: (_, way) => `${way} did not answer in time. ${RETRY}`
  },
  {
    codes: ["Malformed_HTTP_Response", "InvalidHTTPResponse", "HPE_INVALID_CONSTANT", "HPE_INVALID_VERSION"],
    sentence: (who) => `${who} does not answer with HTTP. Check the address and its port.`
  }
];
function connectionFailure(error, who, url, env) {
  const address = new URL(url);
  const way = isProxied(address, env) ? `the proxy ${proxyOf(address, env)} on the way to ${who}` : who;
  const code = codeOf(error);
  const cause = CAUSES.find(({ codes }) => codes.includes(code));
  const sentence = cause?.sentence(who, way) ?? `${way} cannot be reached${code && ` (${code})`}. ${RETRY}`;
  return new Failure("unreachable", sentence.replace(/^the /, "The "));
}
function codeOf(error, depth = MAX_CAUSES) {
  const { code, cause } = isObject(error) ? error : {};
  if (typeof code === "string")
    return code;
  return depth > 0 && cause !== undefined ? codeOf(cause, depth - 1) : "";
}

// src/server/http.ts
var MAX_ANSWER_BYTES = 65536;
var MAX_SAID_CHARACTERS = 200;
var DAY = 86400000;
var MAX_OVERTIME = 5000;
var AS_RECEIVED = { decompress: false };
async function send(call) {
  const { location, ...answer } = await awake(call, () => fetchAnswer(call));
  if (answer.status < 300 || answer.status > 399)
    return answer;
  throw new Failure("misdirected", `${call.who} redirects to ${location}, which is not followed. Set the address of the server to the one that answers itself.`);
}
async function awake({ who, timeout }, action) {
  const began = Date.now();
  try {
    return await action();
  } catch (error) {
    if (Date.now() - began < timeout + MAX_OVERTIME)
      throw error;
    throw new Failure("unreachable", `This machine slept while ${who} was to answer. Try again.`);
  }
}
async function fetchAnswer(call) {
  const { method, url, who, headers = {}, body, maxBytes = MAX_ANSWER_BYTES, timeout, signal } = call;
  const limit = AbortSignal.timeout(timeout);
  const stop = signal ? AbortSignal.any([limit, signal]) : limit;
  try {
    const response = await fetch(url, {
      ...AS_RECEIVED,
      method,
      headers: { ...headers, "accept-encoding": "identity" },
      ...body === undefined ? {} : { body },
      signal: stop,
      redirect: "manual"
    });
    const text = await readText(response, maxBytes);
    stop.throwIfAborted();
    return {
      status: response.status,
      text,
      retryAfter: retryAfter(response.headers.get("retry-after")),
      date: timeOf(response.headers.get("date")),
      location: originOf(response.headers.get("location"), url)
    };
  } catch (error) {
    if (stop.aborted)
      throw new Failure("unreachable", `${who} did not answer in time. Try again.`);
    throw connectionFailure(error, who, url, process.env);
  }
}
async function readText(response, maxBytes) {
  const chunks = [];
  let left = maxBytes;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk.subarray(0, left));
    left -= chunk.byteLength;
    if (left <= 0)
      break;
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}
async function sendJson(call) {
  const answer = await send({
    ...call,
    headers: { "content-type": "application/json", accept: "application/json", ...call.headers }
  });
  const body = parse(answer.text);
  if (answer.status < 200 || answer.status > 299)
    throw refusal(call.who, answer, body);
  if (!body)
    throw misdirected(call.who);
  return body;
}
var CONFLICTS = new Set(["revision_conflict", "object_missing"]);
function refusal(who, { status, retryAfter }, body) {
  const said = typeof body?.error === "string" ? ` (${excerpt(body.error, MAX_SAID_CHARACTERS)})` : "";
  if (body && CONFLICTS.has(body.code))
    return new Failure("conflict", `${who} has another version of this session.`);
  if (status >= 500)
    return new Failure("broken", `${who} has a problem (status ${status}).`, retryAfter);
  if (status === 429)
    return new Failure("busy", `${who} asks to slow down${inMinutes(retryAfter)}.`, retryAfter);
  if (status === 413)
    return new Failure("too_large", `The session is too large for ${who}${said}.`);
  if (status === 404 && typeof body?.code === "string")
    return new Failure("missing", `${who} no longer has this share.`);
  if (!body)
    return misdirected(who);
  if (status === 401 || status === 403)
    return new Failure("unauthorized", `${who} does not accept the secret of this share.`);
  if (status === 410)
    return new Failure("missing", `This share has expired on ${who}.`);
  if (status === 409)
    return new Failure("taken", `${who} refused${said}.`);
  return new Failure("refused", `${who} refused with status ${status}${said}.`);
}
var misdirected = (who) => new Failure("misdirected", `${who} does not answer like a Better Share server: check BETTER_SHARE_BASE_URL.`);
function parse(text) {
  try {
    const value = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return;
  }
}
function timeOf(header) {
  const time = Date.parse(header ?? "");
  return Number.isNaN(time) ? undefined : time;
}
function originOf(location, url) {
  return location !== null && URL.canParse(location, url) ? new URL(location, url).origin : "another address";
}
function retryAfter(header) {
  if (!header)
    return;
  const milliseconds = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(milliseconds) ? Math.min(Math.max(0, milliseconds), DAY) : undefined;
}
function inMinutes(wait) {
  if (wait === undefined)
    return "";
  return wait < 60000 ? `: try again in ${Math.ceil(wait / 1000)} s` : `: try again in ${Math.ceil(wait / 60000)} min`;
}
var IN_VAIN = new Set(["misdirected", "conflict"]);
async function withRetries(attempt, { pauses, maxRetryAfter, signal }) {
  for (let tries = 0;; tries++) {
    try {
      return await attempt();
    } catch (error) {
      const final = !(error instanceof Failure) || !error.temporary || IN_VAIN.has(error.kind) || tries >= pauses.length;
      if (final || (error.retryAfter ?? 0) > maxRetryAfter)
        throw error;
      await sleep(Math.max(backoffAt(pauses, tries), error.retryAfter ?? 0), signal);
      if (signal?.aborted)
        throw error;
    }
  }
}

// src/server/resolver.ts
var machineResolver = (env) => (url) => isProxied(url, env) ? undefined : resolve2;
async function resolve2(name) {
  try {
    return (await Bun.dns.lookup(name, { backend: "system" })).map(({ address }) => address);
  } catch {
    throw new Failure("unreachable", `The name ${name} cannot be resolved. Check the address and your network.`);
  }
}

// src/server/share.ts
var hostOf = (base) => new URL(base).host;
function unpackSecret(id, packed) {
  const dot = packed.lastIndexOf(".");
  if (dot < 1)
    return;
  const base = Buffer.from(packed.slice(dot + 1), "base64url").toString();
  if (serverBase(base) !== base)
    return;
  return { id, base, secret: packed.slice(0, dot) };
}

// src/server/networks.ts
import { BlockList, isIP } from "node:net";
var BLOCKS = {
  loopback: {
    ipv4: ["0.0.0.0/8", "127.0.0.0/8"],
    ipv6: ["::/128", "::1/128"]
  },
  "link-local": { ipv4: ["169.254.0.0/16"], ipv6: ["fe80::/10"] },
  private: {
    ipv4: [
      "10.0.0.0/8",
      "100.64.0.0/10",
      "172.16.0.0/12",
      "192.0.0.0/24",
      "192.168.0.0/16",
      "198.18.0.0/15",
      "224.0.0.0/3"
    ],
    ipv6: [
      "64:ff9b:1::/48",
      "2001::/32",
      "2002::/16",
      "fc00::/7",
      "fec0::/10",
      "ff00::/8"
    ]
  }
};
var IPV4_PREFIXES = ["::", "64:ff9b::", "::ffff:0:"];
var LISTS = Object.entries(BLOCKS).map(([network, { ipv4, ipv6 }]) => ({
  network,
  list: blockList(ipv4, ipv6)
}));
function blockList(ipv4, ipv6) {
  const list = new BlockList;
  for (const [address, length] of ipv4.map(split)) {
    list.addSubnet(address, length, "ipv4");
    for (const prefix of IPV4_PREFIXES)
      list.addSubnet(`${prefix}${address}`, 96 + length, "ipv6");
  }
  for (const [address, length] of ipv6.map(split))
    list.addSubnet(address, length, "ipv6");
  return list;
}
function split(block) {
  const [address = "", length] = block.split("/");
  return [address, Number(length)];
}
function networkOf(address) {
  const family = isIP(address) === 6 ? "ipv6" : "ipv4";
  return LISTS.find(({ list }) => list.check(address, family))?.network ?? "public";
}
async function networksOf({ hostname }, resolve) {
  const host = hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  if (isIP(host))
    return new Set([networkOf(host)]);
  if (host === "localhost" || host.endsWith(".localhost"))
    return new Set(["loopback"]);
  return new Set((await resolve?.(host))?.map(networkOf));
}

// src/server/upload-link.ts
async function checkUploadLink(link, base, { hosts, resolverFor }) {
  const server = new URL(base);
  const refused = (why) => new Failure("refused", `The upload link of ${server.host} ${why}.`);
  if (link.protocol !== "https:" && (link.protocol !== "http:" || server.protocol !== "http:"))
    throw refused("is not encrypted");
  if (link.origin === server.origin || hosts.includes(link.host) || hosts.includes(link.hostname))
    return;
  const inner = [...await networksOf(link, resolverFor(link))].filter((network) => network !== "public");
  if (inner.length === 0)
    return;
  const own = await networksOf(server, resolverFor(server));
  if (own.has("public") || inner.some((network) => !own.has(network)))
    throw refused(`leads into your own network (${excerpt(link.host, 100)}): allow that host in "uploadHosts" if it is yours`);
}

// src/server/uploads.ts
var MAX_LINK_AGE = 30 * 60000;

class Uploads {
  timeouts;
  policy;
  #next = new Map;
  constructor(timeouts, policy) {
    this.timeouts = timeouts;
    this.policy = policy;
  }
  async link(share, size, signal, kind = "snapshot") {
    const who = hostOf(share.base);
    const answer = await sendJson({
      method: "POST",
      url: `${share.base}/api/share/${share.id}/presign`,
      who,
      headers: { "x-share-secret": share.secret },
      body: JSON.stringify({ kind, size, contentEncoding: "gzip" }),
      timeout: this.timeouts.request,
      signal
    });
    const link = readUploadLink(answer);
    if (!link)
      throw misdirected(who);
    return link;
  }
  snapshot(share, encoded, base, signal) {
    return withRetries(async () => {
      const link = await this.link(share, encoded.body.byteLength, signal);
      return await this.#deliver("snapshot", share, link, encoded, base, signal);
    }, this.#retry(signal));
  }
  changes(share, encoded, base, signal) {
    return withRetries(async () => {
      const link = this.#takeNext(share) ?? await this.link(share, encoded.body.byteLength, signal, "changes");
      const isTaken = link.revision !== undefined;
      const committed = isTaken ? await this.#deliver("changes", share, link, encoded, base, signal) : undefined;
      if (!committed)
        throw conflict(share);
      return committed;
    }, this.#retry(signal));
  }
  forget(share) {
    this.#next.delete(keyOf2(share));
  }
  async#deliver(kind, share, link, { body, sha256 }, base, signal) {
    if (link.revision !== undefined && link.revision !== base)
      throw conflict(share);
    await this.#put(share, link, body, signal);
    if (link.revision === undefined)
      return;
    const committed = await this.#commit(share, { kind, sha256, base }, signal);
    if (committed.next)
      this.#next.set(keyOf2(share), { link: committed.next, at: Date.now() });
    return committed;
  }
  async#put(share, link, body, signal) {
    await checkUploadLink(link.url, share.base, this.policy);
    const who = `The storage of ${hostOf(share.base)}`;
    const { status, retryAfter } = await send({
      method: "PUT",
      url: link.url.href,
      who,
      headers: link.headers,
      body,
      timeout: this.timeouts.upload,
      signal
    });
    if (status >= 200 && status <= 299)
      return;
    if (status === 413)
      throw new Failure("too_large", `The session is too large for ${hostOf(share.base)}.`);
    if (status === 429 || status >= 500)
      throw new Failure("broken", `${who} has a problem (status ${status}).`, retryAfter);
    throw new Failure("link", `${who} refuses the upload (status ${status}).`);
  }
  async#commit(share, upload, signal) {
    const who = hostOf(share.base);
    const answer = await sendJson({
      method: "POST",
      url: `${share.base}/api/share/${share.id}/commit`,
      who,
      headers: { "x-share-secret": share.secret },
      body: JSON.stringify({ ...upload, next: { contentEncoding: "gzip" } }),
      timeout: this.timeouts.upload,
      signal
    }).catch((error) => {
      throw asFailure(error).kind === "missing" ? conflict(share) : error;
    });
    const committed = readCommitted(answer);
    if (!committed)
      throw misdirected(who);
    return committed;
  }
  #takeNext(share) {
    const next = this.#next.get(keyOf2(share));
    this.#next.delete(keyOf2(share));
    return next && Date.now() - next.at < MAX_LINK_AGE ? next.link : undefined;
  }
  #retry(signal) {
    return { pauses: this.timeouts.retries, maxRetryAfter: this.timeouts.maxRetryAfter, signal };
  }
}
var conflict = (share) => new Failure("conflict", `${hostOf(share.base)} has another version of this session.`);
var keyOf2 = (share) => `${share.base}/${share.id}`;

// src/server/api.ts
var UNKNOWN_SIZE = 1;
var TOKEN_IN_ADDRESS = /\/t\/[^/]+$/;
var ASKS_FOR_TOKEN = "asks for a token: set BETTER_SHARE_TOKEN";
var TOKEN_MISSING = {
  user: ASKS_FOR_TOKEN,
  project: `${ASKS_FOR_TOKEN}, and BETTER_SHARE_BASE_URL, because a token is not sent to a server that only a project names`
};
function tokenProblem(base, token, chosenBy) {
  if (token)
    return "does not accept BETTER_SHARE_TOKEN";
  if (TOKEN_IN_ADDRESS.test(base))
    return "does not accept the token in its address";
  return TOKEN_MISSING[chosenBy];
}

class ShareApi {
  timeouts;
  uploads;
  constructor(timeouts, uploadHosts = []) {
    this.timeouts = timeouts;
    this.uploads = new Uploads(timeouts, { hosts: uploadHosts, resolverFor: machineResolver(process.env) });
  }
  async create(settings, sessionId, signal) {
    const preferred = sessionId.slice(-8);
    try {
      return await this.#create(settings, sessionId, preferred, signal);
    } catch (error) {
      if (error instanceof Failure && error.kind === "taken")
        return await this.#create(settings, sessionId, randomBytes(9).toString("base64url"), signal);
      throw error;
    }
  }
  async#create({ base, token, chosenBy, audience, expiresIn }, sessionId, shareId, signal) {
    const host = hostOf(base);
    const answer = await this.#json({
      method: "POST",
      url: `${base}/api/share/presign`,
      who: host,
      headers: token ? { authorization: `Bearer ${token}` } : {},
      body: JSON.stringify({ shareId, sessionId, size: UNKNOWN_SIZE, contentEncoding: "gzip", audience, expiresIn }),
      signal
    }).catch((error) => {
      if (error instanceof Failure && error.kind === "unauthorized") {
        throw new Failure("unauthorized", `${host} ${tokenProblem(base, token, chosenBy)}.`);
      }
      if (error instanceof Failure && error.kind === "missing")
        throw misdirected(host);
      throw error;
    });
    const created = readCreation(answer);
    if (!created)
      throw misdirected(host);
    const { secret, ...rest } = created;
    const share = { id: shareId, base, secret };
    const isObeyed = audience === undefined || created.audience === audience;
    if (!isObeyed || expiresIn !== undefined && created.expiresAt === undefined) {
      await this.remove(share, this.timeouts.request);
      throw new Failure("refused", `${host} is too old for private links; ask who runs it for an update.`);
    }
    return { share, ...rest };
  }
  async about(share, signal) {
    const link = await withRetries(() => this.uploads.link(share, UNKNOWN_SIZE, signal), this.#retry(signal));
    return { createdAt: link.createdAt, expiresAt: link.expiresAt, revision: link.revision };
  }
  async storedMessages(share, bytes, signal) {
    try {
      const document = await this.#json({
        method: "GET",
        url: `${share.base}/api/share/${share.id}`,
        who: hostOf(share.base),
        headers: { "x-share-secret": share.secret },
        maxBytes: Math.max(bytes, MAX_ANSWER_BYTES),
        timeout: this.timeouts.upload,
        signal
      });
      return Array.isArray(document.messages) ? document.messages.filter(isObject) : [];
    } catch (error) {
      if (error instanceof Failure && error.kind === "missing")
        return [];
      throw error;
    }
  }
  async remove(share, timeout) {
    const signal = AbortSignal.timeout(timeout);
    try {
      await this.#json({
        method: "DELETE",
        url: `${share.base}/api/share/${share.id}`,
        who: hostOf(share.base),
        headers: { "x-share-secret": share.secret },
        signal
      });
    } catch (error) {
      if (!(error instanceof Failure && error.kind === "missing"))
        throw error;
    }
  }
  #json(call) {
    return withRetries(() => sendJson({ timeout: this.timeouts.request, ...call }), this.#retry(call.signal));
  }
  #retry(signal) {
    return { pauses: this.timeouts.retries, maxRetryAfter: this.timeouts.maxRetryAfter, signal };
  }
}

// src/settings/project-files.ts
import { existsSync } from "node:fs";
import { dirname as dirname4, join as join6 } from "node:path";

// src/settings/user-files.ts
import { readFileSync as readFileSync2, realpathSync } from "node:fs";
import { dirname as dirname3, join as join5, resolve as resolve3, sep } from "node:path";
import { fileURLToPath as fileURLToPath2 } from "node:url";

// src/lib/jsonc.ts
var TEXT_OR_COMMENT = /"(?:[^"\\]|\\[\s\S])*"|\/\/[^\r\n]*|\/\*[\s\S]*?\*\//g;
var TEXT_OR_TRAILING_COMMA = /"(?:[^"\\]|\\[\s\S])*"|,(?=\s*[}\]])/g;
var textOnly = (match) => match.startsWith('"') ? match : " ";
function parseJsonc(text) {
  return JSON.parse(text.replace(TEXT_OR_COMMENT, textOnly).replace(TEXT_OR_TRAILING_COMMA, textOnly));
}

// src/settings/user-files.ts
var NAMED = new RegExp(`^(?:${NAME}|${OLD_NAME})(?:@.*)?$|^https?://[^?#]+/plugin(?:/[^/]+)?\\.tgz$`);
var OPTIONS_FILE = "better-share.json";
function userOptions(places) {
  const [file] = read(join5(globalFolder(places), OPTIONS_FILE));
  const common = file === undefined ? undefined : parseJsonc(file);
  const options = optionsIn(sources(places), places);
  if (options === undefined)
    return common;
  return isObject(common) && isObject(options) ? { ...common, ...options } : options;
}
function filesToEdit(places) {
  const main = sources(places);
  const loading = [...main, ...terminalSources(places)].filter((source) => optionsIn([source], places) !== undefined);
  const naming = main.filter(({ text }) => {
    const config = parseJsonc(text);
    return isObject(config) && config.enterprise !== undefined;
  });
  return { plugin: loading.map(({ name }) => name), enterprise: naming.map(({ name }) => name) };
}
var terminalSources = (places) => configurationsIn([globalFolder(places), join5(places.home, ".opencode")].flatMap((folder) => ["tui.json", "tui.jsonc"].map((name) => join5(folder, name))));
function optionsIn(configurations, places) {
  const entries = configurations.flatMap((source) => pluginsOf(source, places));
  const listed = entries.findLast(({ name, folder }) => isThisPlugin(name, folder, places.plugins));
  return listed && (listed.options ?? {});
}
var globalFolder = ({ env, home }) => join5(env.XDG_CONFIG_HOME || join5(home, ".config"), "opencode");
function sources(places) {
  const { env, home } = places;
  const global = globalFolder(places);
  const files = [
    ...["config.json", "opencode.json", "opencode.jsonc"].map((name) => join5(global, name)),
    ...env.OPENCODE_CONFIG ? [resolve3(env.OPENCODE_CONFIG)] : [],
    ...[join5(home, ".opencode"), ...env.OPENCODE_CONFIG_DIR ? [resolve3(env.OPENCODE_CONFIG_DIR)] : []].flatMap((folder) => ["opencode.json", "opencode.jsonc"].map((name) => join5(folder, name)))
  ];
  const found = configurationsIn(files);
  const inline = env.OPENCODE_CONFIG_CONTENT;
  return inline ? [...found, { name: "OPENCODE_CONFIG_CONTENT", text: inline, folder: process.cwd() }] : found;
}
var configurationsIn = (files) => files.flatMap((file) => read(file).map((text) => ({ name: file, text, folder: dirname3(file) })));
function read(file) {
  try {
    return [readFileSync2(file, "utf8")];
  } catch (error) {
    if (error.code === "ENOENT" || error.code === "ENOTDIR")
      return [];
    throw error;
  }
}
function pluginsOf({ text, folder }, places) {
  const config = parseJsonc(substituted(text, folder, places));
  const plugins = isObject(config) && Array.isArray(config.plugin) ? config.plugin : [];
  return plugins.map((plugin) => {
    const [name, options] = Array.isArray(plugin) ? plugin : [plugin];
    return { name: String(name), options, folder };
  });
}
function substituted(text, folder, { env, home }) {
  return text.replace(/\{env:([^}]+)\}/g, (_, name) => env[name] ?? "").replace(/\{file:([^}]+)\}/g, (_, path) => {
    const [content = ""] = read(resolve3(folder, path.replace(/^~(?=\/)/, home)));
    return JSON.stringify(content.trim()).slice(1, -1);
  });
}
function isThisPlugin(name, folder, plugins) {
  if (NAMED.test(name))
    return true;
  const path = real(name.startsWith("file:") ? fileURLToPath2(name) : resolve3(folder, name));
  return plugins.map(real).some((plugin) => plugin === path || plugin.startsWith(path + sep));
}
function real(path) {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

// src/settings/project-files.ts
var NAMES2 = ["opencode.json", "opencode.jsonc"];
function projectOptions(directory, places) {
  if (places.env.OPENCODE_DISABLE_PROJECT_CONFIG)
    return;
  const folders = foldersOf(directory);
  const files = [...folders, ...folders.map((folder) => join6(folder, ".opencode"))].flatMap((folder) => NAMES2.map((name) => join6(folder, name)));
  return optionsIn(configurationsIn(files), places);
}
function foldersOf(directory) {
  const folders = [directory];
  for (let folder = directory;!existsSync(join6(folder, ".git")); folder = dirname4(folder)) {
    if (folder === dirname4(folder))
      return [directory];
    folders.unshift(dirname4(folder));
  }
  return folders;
}

// src/state/share-list.ts
class ShareList {
  stateFiles;
  #titles = new Map;
  constructor(stateFiles) {
    this.stateFiles = stateFiles;
  }
  async add(share, { url: given, sessionId, title, createdAt }) {
    const { id, base } = share;
    const address = addressOf(share);
    if (this.#titles.get(address) === title)
      return;
    this.#titles.set(address, title);
    const url = given ?? (await this.stateFiles.read({ kind: "share", id, base }))?.url ?? address;
    const note = { kind: "share", id, base, url, sessionId, title, createdAt };
    await Promise.all([this.stateFiles.write({ kind: "secret", share }), this.stateFiles.write(note)]).catch(() => {
      return;
    });
  }
  async remove(share) {
    this.#titles.delete(addressOf(share));
    await this.stateFiles.remove({ kind: "share", ...share });
    await this.stateFiles.remove({ kind: "secret", share });
    await this.stateFiles.remove({ kind: "redacted", ...share });
    await this.stateFiles.remove({ kind: "size", ...share });
    await this.stateFiles.remove({ kind: "upload", ...share });
  }
  async redactedFrom({ id, base }) {
    return (await this.stateFiles.read({ kind: "redacted", id, base }))?.secrets ?? [];
  }
  async rememberRedacted(share, secrets) {
    const { id, base } = share;
    const known = new Set((await this.redactedFrom(share)).map(([value]) => value));
    if (secrets.every(([value]) => known.has(value)))
      return;
    await this.stateFiles.write({ kind: "redacted", id, base, secrets }).catch(() => {
      return;
    });
  }
  async sizeOf({ id, base }) {
    return (await this.stateFiles.read({ kind: "size", id, base }))?.bytes ?? 0;
  }
  async rememberSize(share, bytes) {
    const { id, base } = share;
    if (bytes <= await this.sizeOf(share))
      return;
    await this.stateFiles.write({ kind: "size", id, base, bytes }).catch(() => {
      return;
    });
  }
  async list() {
    const records = await this.stateFiles.readAll();
    return records.filter((record) => record.kind === "share").sort((a, b) => b.createdAt - a.createdAt);
  }
  async ofSession(sessionId) {
    const found = [];
    for (const entry of (await this.list()).filter((entry) => entry.sessionId === sessionId)) {
      const share = await this.secretOf(entry);
      if (share && !await this.stateFiles.read({ kind: "removal", share }))
        found.push({ entry, share });
    }
    return found;
  }
  async find(name) {
    const page = URL.canParse(name) ? new URL(name) : undefined;
    const address = page && page.origin + page.pathname;
    return (await this.list()).filter((entry) => entry.id === name || address !== undefined && [entry.url, addressOf(entry)].some((link) => isPageOf(link, address)));
  }
  async secretOf(share) {
    return (await this.stateFiles.read({ kind: "secret", share }))?.share;
  }
}
var addressOf = ({ base, id }) => `${base}/share/${id}`;
var isPageOf = (link, address) => address === link || address.startsWith(`${link}/`) || address.startsWith(`${link}.`);

// src/state/share-seal.ts
import { createCipheriv, createDecipheriv, createHmac, randomBytes as randomBytes2, randomUUID } from "node:crypto";
import { linkSync, mkdirSync, readFileSync as readFileSync3, rmSync, writeFileSync } from "node:fs";
import { join as join7 } from "node:path";
var PREFIX2 = "sealed.";
var CIPHER = "aes-256-gcm";
var KEY_BYTES = 32;
var NONCE_BYTES = 12;
var TAG_BYTES = 16;

class ShareSeal {
  folder;
  #key;
  constructor(folder) {
    this.folder = folder;
  }
  seal({ id, base, secret }) {
    const nonce = randomBytes2(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#keyOrNew(), nonce).setAAD(Buffer.from(id));
    const sealed = Buffer.concat([cipher.update(JSON.stringify({ base, secret })), cipher.final()]);
    const removalSecret = createHmac("sha256", secret).update("remove").digest("base64url");
    return `${PREFIX2}${Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64url")}.${removalSecret}`;
  }
  open(id, text) {
    if (!text.startsWith(PREFIX2))
      return unpackSecret(id, text);
    const [own = ""] = text.slice(PREFIX2.length).split(".");
    const bytes = Buffer.from(own, "base64url");
    const [nonce, tag] = [bytes.subarray(0, NONCE_BYTES), bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES)];
    try {
      const decipher = createDecipheriv(CIPHER, this.#storedKey(), nonce).setAAD(Buffer.from(id)).setAuthTag(tag);
      const opened = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
      const share = JSON.parse(opened.toString());
      if (!isObject(share) || typeof share.base !== "string" || typeof share.secret !== "string")
        return "lost";
      return { id, base: share.base, secret: share.secret };
    } catch {
      return "lost";
    }
  }
  #storedKey() {
    this.#key ??= readFileSync3(join7(this.folder, "key"));
    return this.#key;
  }
  #keyOrNew() {
    try {
      return this.#storedKey();
    } catch {}
    try {
      this.#writeKey();
      return this.#storedKey();
    } catch {
      throw new Failure("refused", `The key of your shares cannot be kept in ${this.folder}.`);
    }
  }
  #writeKey() {
    mkdirSync(this.folder, { recursive: true, mode: 448 });
    const draft = join7(this.folder, `.${randomUUID()}`);
    writeFileSync(draft, randomBytes2(KEY_BYTES), { mode: 384, flush: true });
    try {
      linkSync(draft, join7(this.folder, "key"));
    } catch (error) {
      if (error.code !== "EEXIST")
        throw error;
    } finally {
      rmSync(draft);
    }
  }
}

// src/state/state-files.ts
import { createHash, randomUUID as randomUUID2 } from "node:crypto";
import { existsSync as existsSync2, lstatSync, readdirSync, renameSync, rmdirSync, symlinkSync, unlinkSync } from "node:fs";
import { mkdir as mkdir2, readdir as readdir4, readFile as readFile3, rename as rename2, rm as rm2, writeFile as writeFile2 } from "node:fs/promises";
import { homedir } from "node:os";
import { join as join8 } from "node:path";

// src/state/records.ts
var isText2 = (value) => typeof value === "string";
var isTime2 = (value) => typeof value === "number" && !Number.isNaN(new Date(value).getTime());
var isShare = (value) => isObject(value) && [value.id, value.base, value.secret].every(isText2) && URL.canParse(String(value.base));
var areSecrets = (value) => Array.isArray(value) && value.every((secret) => Array.isArray(secret) && secret.length === 2 && secret.every((text) => isText2(text) && text !== ""));
var FIELDS2 = {
  removal: { share: isShare },
  upload: { id: isText2, base: isText2, sessionId: isText2, pid: Number.isSafeInteger },
  organisation: { sessionId: isText2, share: isShare },
  unshared: { sessionId: isText2 },
  share: { id: isText2, base: isText2, url: isText2, sessionId: isText2, title: isText2, createdAt: isTime2 },
  secret: { share: isShare },
  redacted: { id: isText2, base: isText2, secrets: areSecrets },
  size: { id: isText2, base: isText2, bytes: Number.isSafeInteger },
  allowed: { base: isText2 },
  update: { base: isText2, at: isTime2 }
};
function isStateRecord(value) {
  if (!isObject(value) || !isKind(value.kind))
    return false;
  return Object.entries(FIELDS2[value.kind]).every(([name, check]) => check(value[name]));
}
var isKind = (value) => typeof value === "string" && Object.hasOwn(FIELDS2, value);

// src/state/state-files.ts
var stateHome = (env) => env.XDG_STATE_HOME || join8(homedir(), ".local", "state");
var stateFolder = (env) => join8(stateHome(env), NAME);
function openStateFolder(env) {
  const [folder, old] = [stateFolder(env), join8(stateHome(env), OLD_NAME)];
  try {
    if (lstatSync(old).isSymbolicLink())
      return folder;
    if (existsSync2(folder))
      mergeFolder(old, folder);
    else
      renameSync(old, folder);
    symlinkSync(folder, old, "junction");
  } catch {}
  return folder;
}
function mergeFolder(from, to) {
  for (const name of readdirSync(from))
    if (existsSync2(join8(to, name)))
      unlinkSync(join8(from, name));
    else
      renameSync(join8(from, name), join8(to, name));
  rmdirSync(from);
}

class StateFiles {
  folder;
  constructor(folder) {
    this.folder = folder;
  }
  async write(record) {
    await mkdir2(this.folder, { recursive: true, mode: 448 });
    const draft = join8(this.folder, `.${randomUUID2()}`);
    await writeFile2(draft, JSON.stringify(record), { mode: 384, flush: true });
    await rename2(draft, this.#path(record));
  }
  async remove(key) {
    return await rm2(this.#path(key)).then(() => true, () => false);
  }
  async read(key) {
    const records = await readRecords(this.#path(key));
    return records.find((record) => record.kind === key.kind);
  }
  async readAll() {
    const names = await readdir4(this.folder).catch(() => []);
    const records = await Promise.all(names.filter((name) => name.endsWith(".json")).map((name) => readRecords(join8(this.folder, name))));
    return records.flat();
  }
  #path(key) {
    const subject = subjectOf(key);
    return join8(this.folder, `${key.kind}-${createHash("sha256").update(subject).digest("hex").slice(0, 32)}.json`);
  }
}
function subjectOf(key) {
  if ("id" in key)
    return `${key.base}/${key.id}`;
  if (key.kind === "removal" || key.kind === "secret")
    return `${key.share.base}/${key.share.id}`;
  return "base" in key ? key.base : key.sessionId;
}
async function readRecords(path) {
  try {
    const record = JSON.parse(await readFile3(path, "utf8"));
    return isStateRecord(record) ? [record] : [];
  } catch {
    return [];
  }
}

// src/state/state-lock.ts
import { createHash as createHash2 } from "node:crypto";
import { mkdir as mkdir3, open, rm as rm3, stat as stat2 } from "node:fs/promises";
import { join as join9 } from "node:path";
var PAUSE = 50;

class StateLock {
  folder;
  maxAge;
  constructor(folder, maxAge) {
    this.folder = folder;
    this.maxAge = maxAge;
  }
  async run(sessionId, action) {
    const path = join9(this.folder, `lock-${createHash2("sha256").update(sessionId).digest("hex").slice(0, 32)}`);
    const isLocked = await this.#acquire(path).catch(() => false);
    try {
      return await action();
    } finally {
      if (isLocked)
        await rm3(path, { force: true });
    }
  }
  async#acquire(path) {
    await mkdir3(this.folder, { recursive: true, mode: 448 });
    for (;; ) {
      try {
        await (await open(path, "wx", 384)).close();
        return true;
      } catch (error) {
        if (error.code !== "EEXIST")
          throw error;
      }
      const made = await stat2(path).catch(() => {
        return;
      });
      if (made && Date.now() - made.mtimeMs > this.maxAge)
        await rm3(path, { force: true });
      else
        await sleep(PAUSE);
    }
  }
}

// src/cli/context.ts
class Context {
  output;
  env = process.env;
  home = homedir2();
  folder = openStateFolder(this.env);
  stateFiles = new StateFiles(this.folder);
  shareList = new ShareList(this.stateFiles);
  lock = new StateLock(this.folder, 2 * TIMEOUTS.create);
  seal = new ShareSeal(this.folder);
  place = dataPlace(this.env, this.home);
  constructor(output) {
    this.output = output;
  }
  settings() {
    const settings = this.#settings();
    if ("problem" in settings)
      throw new Failure("refused", settings.problem);
    return settings;
  }
  api() {
    const settings = this.#settings();
    return new ShareApi(TIMEOUTS, "problem" in settings ? [] : settings.uploadHosts);
  }
  filter({ directory }) {
    const project = typeof directory === "string" ? readable(() => projectOptions(directory, this.#places)) : undefined;
    return new PrivacyFilter(readPrivacy(this.#userOptions(), project), { env: this.env, home: this.home });
  }
  #settings() {
    const own = this.#userOptions() ?? {};
    const origin = packageOrigin();
    return readSettings(isObject(own) && origin ? { ...own, url: origin.url } : own, this.env);
  }
  #userOptions() {
    return readable(() => userOptions(this.#places));
  }
  configuration() {
    return readable(() => filesToEdit(this.#places));
  }
  get #places() {
    return { env: this.env, home: this.home, plugins: pluginFiles() };
  }
}
function readable(read) {
  try {
    return read();
  } catch {
    throw new Failure("refused", "The configuration of OpenCode cannot be read.");
  }
}

// src/cli/doctor.ts
import { styleText } from "node:util";

// src/cli/doctor-checks.ts
import { randomBytes as randomBytes3 } from "node:crypto";

// src/publishing/document.ts
import { createHash as createHash3 } from "node:crypto";
import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { createGzip } from "node:zlib";

// src/lib/json-pieces.ts
var LONG = 65536;
var NODE = 8;
function* jsonPieces(value) {
  if (isShort(value, LONG))
    yield JSON.stringify(value);
  else if (typeof value === "string")
    yield* stringPieces(value);
  else if (Array.isArray(value))
    yield* listPieces(value);
  else if (isObject(value))
    yield* objectPieces(value);
}
var isShort = (value, length) => left(value, length) > 0;
function left(value, length) {
  if (typeof value === "string")
    return length - value.length - NODE;
  if (typeof value !== "object" || value === null)
    return length - NODE;
  let rest = length - NODE;
  for (const key in value) {
    if (rest <= 0)
      break;
    rest = left(value[key], rest - (Array.isArray(value) ? 0 : key.length + NODE));
  }
  return rest;
}
function* listPieces(list) {
  let before = "[";
  for (const item of list) {
    yield before;
    yield* jsonPieces(item ?? null);
    before = ",";
  }
  yield before === "[" ? "[]" : "]";
}
function* objectPieces(object) {
  let before = "{";
  for (const [key, item] of Object.entries(object)) {
    if (item === undefined)
      continue;
    yield before + JSON.stringify(key);
    yield ":";
    yield* jsonPieces(item);
    before = ",";
  }
  yield before === "{" ? "{}" : "}";
}
function* stringPieces(text) {
  yield '"';
  for (let start = 0;start < text.length; ) {
    const end = endOfPiece(text, start);
    yield JSON.stringify(text.slice(start, end)).slice(1, -1);
    start = end;
  }
  yield '"';
}
function endOfPiece(text, start) {
  const end = start + LONG;
  const last = text.charCodeAt(end - 1);
  return last >= 55296 && last <= 56319 ? end + 1 : end;
}

// src/publishing/sanitize.ts
var PROVIDER_DATA = [
  "native",
  "providerState",
  "providerMetadata",
  "providerContext",
  "providerResultState",
  "resultMetadata"
];
var PROVIDER_METADATA = new Set(["text", "reasoning", "tool"]);
var ERROR_DETAILS = ["responseHeaders", "responseBody", "metadata"];
var sanitizeSession = (session) => without2(session, ["share", ...PROVIDER_DATA]);
function sanitizeMessage(message) {
  const cleaned = withSanitizedErrors(without2(message, PROVIDER_DATA));
  if (isObject(cleaned.info))
    cleaned.info = withSanitizedErrors(without2(cleaned.info, PROVIDER_DATA));
  if (Array.isArray(cleaned.parts))
    cleaned.parts = cleaned.parts.map((part) => isObject(part) ? sanitizePart(part) : part);
  if (Array.isArray(cleaned.content))
    cleaned.content = cleaned.content.map((block) => isObject(block) ? sanitizeBlock(block) : block);
  return cleaned;
}
function sanitizePart(part) {
  const opaque = PROVIDER_METADATA.has(String(part.type)) ? [...PROVIDER_DATA, "metadata"] : PROVIDER_DATA;
  return withSanitizedErrors(without2(part, opaque));
}
function sanitizeBlock(block) {
  const cleaned = withSanitizedErrors(without2(block, block.type === "tool" ? PROVIDER_DATA : [...PROVIDER_DATA, "state"]));
  if (isObject(cleaned.provider))
    cleaned.provider = without2(cleaned.provider, ["metadata", ...PROVIDER_DATA]);
  return cleaned;
}
function withSanitizedErrors(object) {
  const cleaned = { ...object };
  if (isObject(cleaned.error))
    cleaned.error = sanitizeError(cleaned.error);
  if (isObject(cleaned.retry))
    cleaned.retry = withSanitizedErrors(cleaned.retry);
  return cleaned;
}
function sanitizeError(error) {
  const cleaned = without2(error, ERROR_DETAILS);
  if (isObject(cleaned.data))
    cleaned.data = without2(cleaned.data, ERROR_DETAILS);
  return cleaned;
}
var without2 = (object, keys) => Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));

// src/publishing/document.ts
async function buildDocument(share, createdAt, snapshot, now) {
  const slices = new TimeSlices;
  const children = [];
  for (const child of snapshot.children)
    children.push(await sanitizeTranscript(child, slices));
  return {
    shareId: share.id,
    sessionId: snapshot.session.id,
    createdAt,
    updatedAt: now,
    ...await sanitizeTranscript(snapshot, slices),
    ...children.length > 0 ? { children } : {}
  };
}
var sanitizeTranscript = async ({ session, messages }, slices) => ({
  session: sanitizeSession(session),
  messages: await slices.map(messages, sanitizeMessage)
});
var CHUNK5 = 65536;
async function encode(value) {
  const slices = new TimeSlices;
  const hash = createHash3("sha256");
  const gzip = createGzip();
  const body = buffer(gzip);
  let bytes = 0;
  for (const text of chunks(jsonPieces(value))) {
    const chunk = Buffer.from(text);
    bytes += chunk.byteLength;
    hash.update(chunk);
    if (!gzip.write(chunk))
      await once(gzip, "drain");
    await slices.yield();
  }
  gzip.end();
  return { body: await body, bytes, sha256: hash.digest("hex") };
}
function* chunks(pieces) {
  let chunk = "";
  for (const piece of pieces) {
    chunk += piece;
    if (chunk.length < CHUNK5)
      continue;
    yield chunk;
    chunk = "";
  }
  yield chunk;
}

// src/publishing/title.ts
var maxLength = 80;
var defaultTitle = /^(?:New|Child) session - \d{4}-\d\d-\d\dT[\d:.]+Z?$/;
function titleOf({ session, messages }) {
  const own = String(session.title ?? "").trim();
  return own && !defaultTitle.test(own) ? own : shortened(firstPrompt(messages));
}
function firstPrompt(messages) {
  const texts = messages.flatMap((message) => promptTexts(message));
  const first = texts.find((text) => typeof text === "string" && text.trim() !== "");
  return String(first ?? "").trim().split(`
`, 1)[0] ?? "";
}
function promptTexts({ info, parts, type, text }) {
  if (type === "user")
    return [text];
  if (info?.role !== "user" || !Array.isArray(parts))
    return [];
  return parts.filter((part) => part.type === "text" && part.synthetic !== true).map((part) => part.text);
}
function shortened(text) {
  if (text.length <= maxLength)
    return text;
  const space = text.lastIndexOf(" ", maxLength);
  return `${text.slice(0, space < maxLength / 2 ? maxLength : space).trimEnd()}…`;
}

// src/publishing/upload-document.ts
var MAX_ATTEMPTS = 4;
async function uploadDocument({ document, removed }, share, url, { api, shareList }, signal, base = 0) {
  if (!signal.aborted)
    await shareList.rememberRedacted(share, removed);
  const encoded = await encode({ ...document, revision: base + 1 });
  if (!signal.aborted)
    await shareList.rememberSize(share, encoded.bytes);
  const committed = await api.uploads.snapshot(share, encoded, base, signal);
  await list(document, share, url, shareList, signal);
  return { bytes: encoded.bytes, committed };
}
async function replaceDocument(filtered, share, url, tools, signal) {
  for (let attempt = 1;; attempt++) {
    const { revision = 0 } = await tools.api.about(share, signal);
    try {
      return await uploadDocument(filtered, share, url, tools, signal, revision);
    } catch (error) {
      if (asFailure(error).kind !== "conflict" || attempt === MAX_ATTEMPTS)
        throw error;
    }
  }
}
async function list(document, share, url, shareList, signal) {
  if (signal.aborted)
    return;
  const { sessionId, createdAt } = document;
  await shareList.add(share, { url, sessionId, title: titleOf(document), createdAt });
}

// src/sharing/session-share.ts
async function existingShare({ base }, sessionId, { api, shareList }, deadline) {
  for (const { entry, share } of await shareList.ofSession(sessionId)) {
    if (share.base !== base)
      continue;
    try {
      await api.about(share, deadline);
      return { share, url: entry.url, createdAt: entry.createdAt };
    } catch (error) {
      if (asFailure(error).kind !== "missing")
        throw error;
      await shareList.remove(share);
    }
  }
  return;
}
async function createShare(settings, sessionId, { api, shareList }, deadline) {
  const created = await api.create(settings, sessionId, deadline);
  const { share, url, createdAt } = created;
  await shareList.add(share, { url, sessionId, title: "", createdAt });
  return created;
}

// src/state/remove-share.ts
async function removeShare(entry, shareList, stateFiles, api) {
  const share = await shareList.secretOf(entry);
  if (!share)
    return `What it takes to remove it is not on this machine any more: ask who runs ${hostOf(entry.base)}.`;
  try {
    await api.remove(share, TIMEOUTS.request);
  } catch (error) {
    const failure = asFailure(error);
    if (!failure.temporary)
      return failure.message;
    const isKept = await stateFiles.write({ kind: "removal", share }).then(() => true, () => false);
    return isKept ? `${failure.message} OpenCode tries again when it starts.` : failure.message;
  }
  await shareList.remove(share);
  await stateFiles.remove({ kind: "removal", share });
  return;
}

// src/publishing/published.ts
var plural = (amount, noun) => `${amount} ${noun}${amount === 1 ? "" : "s"}`;

// src/cli/output.ts
class Output {
  isJson;
  constructor(isJson) {
    this.isJson = isJson;
  }
  result(value, lines, style = (line) => line) {
    if (this.isJson)
      console.log(JSON.stringify(value, undefined, 2));
    else
      for (const [index, line] of lines.entries())
        console.log(style(visible(line), index));
  }
  note(line) {
    if (!this.isJson)
      console.error(visible(line));
  }
  failure(message, kind) {
    if (this.isJson)
      console.log(JSON.stringify({ error: message, kind }, undefined, 2));
    else
      console.error(visible(message));
  }
}
function megabytes(bytes) {
  return bytes < 1e5 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
var isoDate = (time) => new Date(time).toISOString();

// src/cli/preparation.ts
var NO_SHARE = { id: "", base: "", secret: "" };
async function prepare(snapshot, known, context) {
  const document = await buildDocument(NO_SHARE, 0, snapshot, Date.now());
  return await context.filter(snapshot.session).apply(document, known);
}
var ofShare = (prepared, { id }, createdAt) => ({
  ...prepared,
  document: { ...prepared.document, shareId: id, createdAt }
});
var summaryOf = ({ document, redactions, kinds }) => ({
  sessionId: document.sessionId,
  title: titleOf(document),
  messages: document.messages.length,
  subAgents: document.children?.length ?? 0,
  bytes: Buffer.byteLength(JSON.stringify(document)),
  redactions,
  kinds
});
function describe({ title, messages, subAgents, bytes, redactions, kinds }) {
  const agents = subAgents > 0 ? `, ${plural(subAgents, "session")} of sub-agents` : "";
  const byKind = Object.entries(kinds).map(([kind, count]) => `${count} ${kind}`);
  const removed = redactions > 0 ? `${plural(redactions, "redaction")} (${byKind.join(", ")})` : "no redactions";
  return `"${title}": ${plural(messages, "message")}${agents}, ${megabytes(bytes)}, ${removed}.`;
}

// src/cli/doctor-checks.ts
var MAX_CLOCK_DIFFERENCE = 5 * 60000;
var TOKEN = `ghp_${"Zk3Qm8Vt5Xw1Bn7Rd4Hs".repeat(2).slice(0, 36)}`;
var known2 = (value) => {
  if (value === undefined)
    throw new Failure("refused", "This could not be checked.");
  return value;
};
var CHECKS2 = [
  {
    name: "address",
    async run(findings) {
      findings.settings = findings.context.settings();
      return findings.settings.base;
    }
  },
  {
    name: "redaction",
    mayFail: true,
    async run({ context }) {
      const { document, kinds } = await prepare(testSession("ses_doctor"), [], context);
      if (JSON.stringify(document).includes(TOKEN))
        throw new Failure("refused", 'A made-up GitHub token stays in an upload. Remove "redact": false, and "github-token" in "allow", from your options.');
      return `on: removes ${Object.keys(kinds).join(", ")}`;
    }
  },
  {
    name: "plugin",
    mayFail: true,
    async run({ context }) {
      const [file] = context.configuration().plugin;
      if (file !== undefined)
        return `listed in ${file}`;
      const { length } = await context.shareList.list();
      const shares = length === 1 ? "session is" : "sessions are";
      return length === 0 ? "not in your configuration of OpenCode, and nothing is shared" : `not in your configuration of OpenCode, so your ${length} shared ${shares} updated by "update" alone`;
    }
  },
  {
    name: "proxy",
    mayFail: true,
    async run({ settings, context: { env } }) {
      const url = new URL(known2(settings).base);
      const proxy = proxyOf(url, env);
      if (proxy !== undefined && !readsProxies(env) && !canReadProxies())
        throw new Failure("refused", `The environment names the proxy ${proxy}, which this Node.js (${process.versions.node}) cannot use. OpenCode does. For this command, use Node.js 24.`);
      if (isProxied(url, env))
        return `through ${proxy}`;
      return proxy === undefined ? "none" : `none: NO_PROXY has ${url.hostname}`;
    }
  },
  {
    name: "connection",
    async run(findings) {
      const { base } = known2(findings.settings);
      const who = hostOf(base);
      const began = Date.now();
      const { status, text, date } = await send({
        method: "GET",
        url: `${base}/api/health`,
        who,
        timeout: TIMEOUTS.request
      });
      if (status >= 500)
        throw new Failure("broken", `${who} has a problem (status ${status}). Tell who runs it.`);
      if (status !== 200 || !text.includes('"status"'))
        throw misdirected(who);
      const now = (began + Date.now()) / 2;
      findings.clockAhead = date === undefined ? undefined : date - now;
      return base.startsWith("https:") ? "answers, with a certificate that is trusted here" : "answers, without encryption";
    }
  },
  {
    name: "clock",
    mayFail: true,
    async run({ clockAhead, settings }) {
      if (clockAhead === undefined)
        return "the server does not say its time";
      const minutes = Math.round(Math.abs(clockAhead) / 60000);
      if (Math.abs(clockAhead) > MAX_CLOCK_DIFFERENCE)
        throw new Failure("refused", `The clock of this machine is ${minutes} minutes ${clockAhead > 0 ? "behind" : "ahead of"} that of ${hostOf(known2(settings).base)}, and uploads may be refused. Set the clock that is wrong.`);
      return "right";
    }
  },
  {
    name: "token",
    async run(findings) {
      const settings = known2(findings.settings);
      const { api, shareList } = tools(findings.context);
      const id = `ses_${randomBytes3(12).toString("hex")}`;
      const deadline = AbortSignal.timeout(TIMEOUTS.create);
      const created = await createShare(settings, id, { api, shareList }, deadline);
      findings.share = created.share;
      findings.createdAt = created.createdAt;
      findings.release = created.plugin;
      return settings.token === undefined ? "none is needed" : "accepted";
    }
  },
  {
    name: "version",
    mayFail: true,
    async run({ release, settings }) {
      const own = packageOrigin()?.release;
      if (own === undefined)
        return `a checkout; the server has ${release ?? "an older version"}`;
      if (release !== undefined && release !== own)
        throw new Failure("refused", `This is ${own}, and the server has ${release}. To update, copy the new line for opencode.json from ${known2(settings).base}.`);
      return own;
    }
  },
  {
    name: "share",
    mayFail: true,
    async run({ context, share, createdAt }) {
      const made = known2(share);
      const { api, shareList } = tools(context);
      const prepared = await prepare(testSession("ses_doctor"), [], context);
      const { signal } = new AbortController;
      await uploadDocument(ofShare(prepared, made, known2(createdAt)), made, undefined, { api, shareList }, signal);
      const stored = await api.storedMessages(made, 0, signal);
      if (!JSON.stringify(stored).includes("Is this shared?"))
        throw new Failure("broken", `${hostOf(made.base)} does not hand out what was uploaded. Tell who runs it.`);
      return "a test session was uploaded and read";
    }
  },
  {
    name: "removal",
    async run({ context, share }) {
      const { id, base } = known2(share);
      const { api, shareList } = tools(context);
      const [entry] = (await shareList.list()).filter((listed) => listed.id === id && listed.base === base);
      const problem = entry && await removeShare(entry, shareList, context.stateFiles, api);
      if (problem !== undefined)
        throw new Failure("refused", `The test session is still shared: ${problem}`);
      return "the test session was removed";
    }
  }
];
var tools = (context) => ({ api: context.api(), shareList: context.shareList });
var testSession = (id) => ({
  session: { id, title: "A test of doctor", directory: process.cwd() },
  messages: [
    {
      info: { id: "msg_1", sessionID: id, role: "user", time: { created: Date.now() } },
      parts: [{ id: "prt_1", sessionID: id, messageID: "msg_1", type: "text", text: `Is this shared? TOKEN=${TOKEN}` }]
    }
  ],
  children: []
});

// src/cli/doctor.ts
var COLOURS = { ok: "green", failed: "red", skipped: "yellow" };
var NAME_WIDTH = 11;
var doctor = {
  usages: [
    {
      words: "doctor",
      summary: `checks address, redaction, plugin, proxy, certificate, clock, token and version, and shares and
removes a test session`
    }
  ],
  accepts: ({ words }) => words.length === 0,
  async run(_, context) {
    const results = await examine({ context });
    const isWell = results.every(({ state }) => state === "ok");
    context.output.result({ ok: isWell, checks: results }, results.map(({ name, state, detail }) => `${state.padEnd(8)} ${name.padEnd(NAME_WIDTH)} ${detail}`), (line, index) => line.replace(/^\w+/, (state) => coloured(results[index]?.state ?? "skipped", state)));
    return isWell ? 0 : 1;
  }
};
async function examine(findings) {
  const results = [];
  let failed;
  for (const { name, mayFail, run } of CHECKS2) {
    if (failed !== undefined) {
      results.push({ name, state: "skipped", detail: `because of ${failed}` });
      continue;
    }
    try {
      results.push({ name, state: "ok", detail: await run(findings) });
    } catch (error) {
      results.push({ name, state: "failed", detail: asFailure(error).message });
      if (!mayFail)
        failed = name;
    }
  }
  return results;
}
function coloured(state, text) {
  return process.stdout.isTTY && !process.env.NO_COLOR ? styleText(COLOURS[state], text) : text;
}

// src/cli/list.ts
var published = ({ url, id, base, sessionId, title, createdAt }) => ({
  url,
  id,
  server: base,
  sessionId,
  title,
  createdAt: isoDate(createdAt)
});
var list2 = {
  usages: [{ words: "list", summary: "your shares on this machine, the newest first" }],
  accepts: ({ words }) => words.length === 0,
  async run(_, { output, shareList }) {
    const entries = await shareList.list();
    if (entries.length === 0)
      output.note("No shares are known on this machine.");
    output.result(entries.map(published), entries.map(({ url, title, createdAt }) => `${isoDate(createdAt).slice(0, 10)}  ${url}  ${title}`));
    return 0;
  }
};

// src/redaction/explain.ts
function explain(text, own) {
  const plain = finished(withoutAnsi(text))?.plain ?? text;
  const reasons = finished(new Scanner(own).reasons(plain));
  const removed = mergeOverlaps(reasons.map(({ finding }) => finding));
  const names = removed.map(() => new Set);
  const starts = removed.map(({ start }) => start);
  for (const { name, finding } of reasons)
    names[lastUpTo(starts, finding.start)]?.add(name);
  let line = 1;
  let position = 0;
  return removed.map(({ start, end, kind }, index) => {
    line += plain.slice(position, start).split(`
`).length - 1;
    position = start;
    return { line, length: end - start, kind, reasons: [...names[index] ?? []] };
  });
}

// src/cli/session-input.ts
import { existsSync as existsSync3 } from "node:fs";
import { readFile as readFile4 } from "node:fs/promises";
import { text as textOf2 } from "node:stream/consumers";

// src/opencode/export-file.ts
function readExport(text, name) {
  const value = parsed2(text);
  const transcript = transcriptOf(value);
  if (!transcript)
    throw new Failure("unreadable", `${name} is not a session as "opencode export" writes it.`);
  const children = isObject(value) && Array.isArray(value.children) ? value.children : [];
  return { ...transcript, children: children.flatMap((child) => transcriptOf(child) ?? []) };
}
function transcriptOf(value) {
  if (!isObject(value) || !Array.isArray(value.messages))
    return;
  const session = value.info ?? value.session;
  if (!isObject(session) || typeof session.id !== "string")
    return;
  return { session, messages: value.messages.filter(isObject) };
}
function parsed2(text) {
  try {
    return JSON.parse(text);
  } catch {
    return;
  }
}

// src/opencode/snapshot.ts
async function takeSnapshot(source, sessionId, rebuild) {
  const [session, messages, children] = await Promise.all([
    source.session(sessionId),
    source.messages(sessionId),
    descendants(source, sessionId)
  ]);
  return { session, messages: messages ?? await rebuild(), children };
}
async function descendants(source, parentId) {
  const children = await source.children(parentId);
  const families = await Promise.all(children.map(async (session) => {
    const [messages, below] = await Promise.all([source.messages(session.id), descendants(source, session.id)]);
    return messages ? [{ session, messages }, ...below] : below;
  }));
  return families.flat();
}

// src/cli/session-input.ts
var SESSION_ID = /^ses_\w+$/;
var isSessionId = (name) => SESSION_ID.test(name) && !existsSync3(name);
async function readSession(name, context) {
  return isSessionId(name) ? await storedSession(name, context) : readExport(await contentOf2(name), fileName(name));
}
async function storedSession(id, { place }) {
  const storage = await storageOf(id, place);
  try {
    return await takeSnapshot(storage, id, async () => []);
  } finally {
    storage.close();
  }
}
async function contentOf2(file) {
  try {
    return await (file === "-" ? textOf2(process.stdin) : readFile4(file, "utf8"));
  } catch {
    throw new Failure("unreadable", `${fileName(file)} cannot be read.`);
  }
}
var fileName = (file) => file === "-" ? "The standard input" : file;

// src/cli/redact.ts
var redact = {
  usages: [
    { words: "redact <session>", summary: "prints the document of a session as share would upload it" },
    {
      words: "redact --explain <file>",
      summary: `lists what would be removed from a text, and by which rule; - is the standard input,
--formats <file> reads your own formats`
    }
  ],
  options: { explain: { type: "boolean" }, formats: { type: "string" } },
  accepts: (given) => oneWord(given) && (given.options.explain === true || given.options.formats === undefined),
  async run(given, context) {
    return given.options.explain ? await explainRemovals(wordOf(given), given.options.formats, context) : await printDocument(wordOf(given), context);
  }
};
async function printDocument(name, context) {
  const prepared = await prepare(await readSession(name, context), [], context);
  const { session, messages, children } = prepared.document;
  context.output.note(describe(summaryOf(prepared)));
  console.log(JSON.stringify({ session, messages, ...children ? { children } : {} }));
  return 0;
}
async function explainRemovals(file, formats, { output }) {
  const own = typeof formats === "string" ? await readFormats(formats) : [];
  const removals = explain(await contentOf2(file), own);
  output.result(removals, removals.map(({ line, length, kind, reasons }) => `${`${line}`.padStart(6)}  ${`${length}`.padStart(5)} characters  ${kind.padEnd(24)}  ${reasons.join(", ")}`));
  return 0;
}
async function readFormats(file) {
  const own = ownRules(parsed3(await contentOf2(file)));
  if (own === undefined)
    throw new Failure("refused", `${file} is not a list of formats like [{"name": "ACME token", "prefix": ["acme_"], ...}].`);
  return own;
}
function parsed3(json) {
  try {
    return JSON.parse(json);
  } catch {
    return;
  }
}

// src/cli/remove.ts
var remove = {
  usages: [
    {
      words: "remove <link>",
      summary: `makes a link stop working and deletes the session from its server; takes its id,
and the address of anything on its pages, too`
    },
    { words: "remove --all", summary: "does so with all of them" }
  ],
  options: { all: { type: "boolean" } },
  accepts: ({ words, options }) => words.length === (options.all ? 0 : 1),
  async run(given, context) {
    const { shareList, output } = context;
    if (given.options.all)
      return await removeAll(await shareList.list(), context);
    const name = wordOf(given);
    const entries = await shareList.find(name);
    if (entries.length === 0)
      throw new Failure("missing", `No share ${name} is known on this machine: see \`list\`.`);
    const links = [...new Set(entries.map(({ url }) => url))];
    if (links.length === 1)
      return await removeAll(entries, context);
    output.failure(`Nothing was removed: ${links.length} shares on different servers are called ${name}. Name one by its link:`, "ambiguous");
    for (const link of links)
      output.note(link);
    return 1;
  }
};
async function removeShares(entries, context) {
  const { output, shareList, stateFiles } = context;
  const api = context.api();
  const results = await Promise.all(entries.map(async (entry) => ({ entry, problem: await removeShare(entry, shareList, stateFiles, api) })));
  const failed = results.flatMap(({ entry: { url }, problem }) => problem === undefined ? [] : [{ url, error: problem }]);
  for (const { url, error } of failed)
    output.note(`Not removed, the link still works: ${url}: ${error}`);
  return { removed: results.filter(({ problem }) => problem === undefined).map(({ entry }) => entry.url), failed };
}
async function removeAll(entries, context) {
  const { output } = context;
  if (entries.length === 0)
    output.note("No shares are known on this machine.");
  const removals = await removeShares(entries, context);
  output.result(removals, removals.removed.map((url) => `Removed: ${url}`));
  return removals.failed.length > 0 ? 1 : 0;
}

// src/sharing/readers.ts
function describeReaders({ share, audience, password, expiresAt }) {
  return [
    ...password === undefined ? [] : [`Its password is ${password} (shown only now).`],
    ...audience === "members" ? [`Only members of ${hostOf(share.base)} can read it.`] : [],
    ...expiresAt === undefined ? [] : [`It ends on ${new Date(expiresAt).toISOString().slice(0, 16).replace("T", " ")} UTC.`]
  ];
}

// src/cli/share.ts
var share = {
  usages: [
    {
      words: "share <session>",
      summary: `uploads a session and prints its link; takes the id of a session of OpenCode (ses_...), a file that
"opencode export" wrote, or - for the standard input. --dry-run only says what would be uploaded`
    },
    {
      words: "share --latest",
      summary: "shares the session of this folder that changed last"
    }
  ],
  options: { "dry-run": { type: "boolean" }, latest: { type: "boolean" } },
  accepts: ({ words, options }) => words.length === (options.latest ? 0 : 1),
  async run(given, context) {
    const { output, shareList } = context;
    const name = given.options.latest ? await latestSession(process.cwd(), context.place) : wordOf(given);
    const snapshot = await readSession(name, context);
    const settings = context.settings();
    const sessionId = snapshot.session.id;
    const known = await Promise.all((await shareList.ofSession(sessionId)).map(({ share }) => shareList.redactedFrom(share)));
    const prepared = await prepare(snapshot, known.flat(), context);
    const summary = { server: settings.base, ...summaryOf(prepared) };
    const isDry = given.options["dry-run"] === true;
    output.note(`${isDry ? "Would be uploaded" : "Uploading"} to ${hostOf(settings.base)}: ${describe(summary)}`);
    if (isDry) {
      output.result(summary, []);
      return 0;
    }
    const created = await publish(prepared, settings, context);
    const { share, url, password } = created;
    for (const sentence of describeReaders(created))
      output.note(sentence);
    output.result({ url, id: share.id, ...password === undefined ? {} : { password }, ...summary }, [url]);
    return 0;
  }
};
async function publish(prepared, settings, context) {
  const { sessionId } = prepared.document;
  const { shareList, stateFiles } = context;
  const tools = { api: context.api(), shareList };
  const { created, isNew } = await context.lock.run(sessionId, async () => {
    const deadline = AbortSignal.timeout(TIMEOUTS.create);
    const existing = await existingShare(settings, sessionId, tools, deadline);
    return existing ? { created: existing, isNew: false } : { created: await createShare(settings, sessionId, tools, deadline), isNew: true };
  });
  const { share, url, createdAt } = created;
  try {
    await replaceDocument(ofShare(prepared, share, createdAt), share, url, tools, new AbortController().signal);
  } catch (error) {
    const [entry] = isNew ? await shareList.find(url) : [];
    if (entry)
      await removeShare(entry, shareList, stateFiles, tools.api);
    throw error;
  }
  return created;
}

// src/cli/show.ts
var show = {
  usages: [
    { words: "show <session or link>", summary: "the shares of a session: link, whether it works, size and dates" }
  ],
  accepts: oneWord,
  async run(given, context) {
    const { output, shareList } = context;
    const name = wordOf(given);
    const entries = isSessionId(name) ? (await shareList.list()).filter(({ sessionId }) => sessionId === name) : await shareList.find(name);
    if (entries.length === 0)
      throw new Failure("missing", `No share ${name} is known on this machine: see \`list\`.`);
    const api = context.api();
    const shares = await Promise.all(entries.map((entry) => about(entry, shareList, api)));
    output.result(shares, shares.flatMap(lines));
    return 0;
  }
};
async function about(entry, shareList, api) {
  const bytes = await shareList.sizeOf({ ...entry, secret: "" });
  return { ...published(entry), bytes, ...await stateOf(entry, shareList, api) };
}
async function stateOf(entry, shareList, api) {
  const share = await shareList.secretOf(entry);
  if (!share)
    return { state: "unknown", problem: "What it takes to ask its server is not on this machine any more." };
  try {
    const { expiresAt } = await api.about(share, AbortSignal.timeout(TIMEOUTS.request));
    return { state: "works", ...expiresAt === undefined ? {} : { expiresAt: isoDate(expiresAt) } };
  } catch (error) {
    const { kind, message } = asFailure(error);
    return { state: kind === "missing" ? "gone" : "unknown", problem: message };
  }
}
function lines({ url, title, sessionId, state, bytes, createdAt, expiresAt, problem }) {
  return [
    url,
    `  Title    ${title}`,
    `  Session  ${sessionId}`,
    `  Link     ${state}${problem === undefined ? "" : `: ${problem}`}`,
    `  Size     ${bytes > 0 ? megabytes(bytes) : "nothing was uploaded yet"}`,
    `  Created  ${createdAt}`,
    ...expiresAt === undefined ? [] : [`  Ends     ${expiresAt}`]
  ];
}

// src/cli/uninstall.ts
var uninstall = {
  usages: [
    {
      words: "uninstall",
      summary: `with OpenCode closed: removes all your shares, and has OpenCode forget that it shared them; says
which lines to remove then. --keep-links leaves the shares on their servers`
    }
  ],
  options: { "keep-links": { type: "boolean" } },
  accepts: ({ words }) => words.length === 0,
  async run({ options }, context) {
    const { output } = context;
    const { edited, problems } = await unshareStored(context);
    for (const { path, sessions, copy } of edited)
      output.note(`${path}: ${plural(sessions.length, "session")} unshared. A copy from before is ${copy}.`);
    for (const problem of problems)
      output.note(problem);
    const areKept = options["keep-links"] === true || problems.length > 0;
    const removals = areKept ? { removed: [], failed: [] } : await removeShares(await context.shareList.list(), context);
    const isDone = problems.length === 0 && removals.failed.length === 0;
    const steps = problems.length > 0 ? byHand() : stepsLeft(context, removals, areKept);
    output.result({ ok: isDone, edited, problems, ...removals, steps }, [
      ...removals.removed.map((url) => `Removed: ${url}`),
      ...steps.map((step, index) => `${index + 1}. ${step}`)
    ]);
    return isDone ? 0 : 1;
  }
};
async function unshareStored(context) {
  const edited = [];
  const problems = [];
  for await (const storage of storagesOf(context.place)) {
    try {
      if (storage instanceof Failure)
        throw storage;
      const { path } = storage;
      const sessions = await sharedByPlugin(storage, context);
      if (sessions.length === 0)
        storage.close();
      else
        edited.push({ path, sessions, copy: await storage.unshare(sessions) });
    } catch (error) {
      problems.push(asFailure(error).message);
    }
  }
  return { edited, problems };
}
async function sharedByPlugin(storage, context) {
  const shared = [];
  for (const stored of await storage.shares()) {
    const share = context.seal.open(stored.id, stored.secret);
    if (share === undefined)
      continue;
    shared.push(stored.sessionId);
    if (share === "lost")
      noteLost(stored, context);
    else {
      const { url, sessionId } = stored;
      const isListed = (await context.shareList.list()).some(({ id, base }) => id === share.id && base === share.base);
      if (!isListed)
        await context.shareList.add(share, { url, sessionId, title: "", createdAt: Date.now() });
    }
  }
  return shared;
}
var noteLost = ({ url }, { output }) => output.note(`${url} stays: it was shared with a state folder that is not here. Have the operator of its server delete it.`);
var byHand = () => [
  'Leave all lines of the configuration as they are: without "enterprise", OpenCode goes on sending sessions that it knows as shared to its vendor.',
  "Close OpenCode and run this command again; or type /unshare in each session that is shared, in OpenCode with the plugin."
];
function stepsLeft(context, { failed }, areKept) {
  const { plugin, enterprise } = context.configuration();
  const again = failed.length > 0 ? ["Run this command again: links still work, and nothing tries later without the plugin."] : [];
  const at = (files, missing) => files.length > 0 ? files.join(" and ") : missing;
  return [
    ...again,
    `Remove the line of the plugin from ${at(plugin, "the opencode.json that has it")}.`,
    `Then remove "enterprise" from ${at(enterprise, "the opencode.json that has it")}. /share goes to OpenCode's vendor from then on.`,
    areKept || failed.length > 0 ? `Keep ${context.folder}: it has what it takes to remove the links.` : `${context.folder} can be deleted.`
  ];
}

// src/cli/update.ts
var update = {
  usages: [
    {
      words: "update <session or link>",
      summary: "uploads the present state of a session that is shared, by the same names as share, or by its link"
    }
  ],
  accepts: oneWord,
  async run(given, context) {
    const { output, shareList } = context;
    const name = wordOf(given);
    const listed = isSessionId(name) ? [] : await shareList.find(name);
    const snapshot = listed[0] ? await storedSession(listed[0].sessionId, context) : await readSession(name, context);
    const targets = listed.length > 0 ? await withSecrets(listed, context) : await shareList.ofSession(snapshot.session.id);
    if (targets.length === 0)
      throw new Failure("missing", `The session ${snapshot.session.id} is not shared from this machine: see \`share\`.`);
    const results = [];
    for (const { entry, share } of targets) {
      const prepared = await prepare(snapshot, await shareList.redactedFrom(share), context);
      const summary = summaryOf(prepared);
      output.note(`Uploading to ${entry.url}: ${describe(summary)}`);
      await replaceDocument(ofShare(prepared, share, entry.createdAt), share, entry.url, { api: context.api(), shareList }, new AbortController().signal);
      results.push({ url: entry.url, id: entry.id, server: entry.base, ...summary });
    }
    output.result(results, results.map(({ url }) => url));
    return 0;
  }
};
async function withSecrets(entries, { shareList }) {
  const found = await Promise.all(entries.map(async (entry) => ({ entry, share: await shareList.secretOf(entry) })));
  return found.filter((target) => target.share !== undefined);
}

// src/cli/commands.ts
var COMMANDS = {
  share,
  update,
  list: list2,
  show,
  remove,
  redact,
  allow,
  doctor,
  uninstall
};
var WIDTH = 26;
async function run(args) {
  const [name = "", ...rest] = args;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  const given = command && argumentsOf(command, rest);
  if (!command || !given?.options || !command.accepts(given))
    return printUsage(name);
  const output = new Output(given.options.json === true);
  try {
    return await command.run(given, new Context(output));
  } catch (error) {
    const { message, kind } = asFailure(error);
    output.failure(message, kind);
    return 1;
  }
}
function argumentsOf({ options = {} }, args) {
  try {
    const { values, positionals } = parseArgs({
      args,
      options: { ...options, json: { type: "boolean" } },
      allowPositionals: true
    });
    return { words: positionals, options: values };
  } catch {
    return;
  }
}
function printUsage(name) {
  const isWanted = ["help", "--help", "-h"].includes(name);
  const print = isWanted ? console.log : console.error;
  print(`Usage: ${commandLine()} <command>
`);
  for (const { words, summary } of Object.values(COMMANDS).flatMap(({ usages }) => usages)) {
    const [first = "", ...others] = summary.split(`
`);
    print(`  ${words.padEnd(WIDTH)}${first}`);
    for (const line of others)
      print(" ".repeat(WIDTH + 2) + line);
  }
  print(`
Each command takes --json. The exit code is 0 if all was done, 1 if not, and 2 after this text.`);
  return isWanted ? 0 : 2;
}

// src/cli/node-proxy.ts
import { spawnSync } from "node:child_process";
var VARIABLES = ["http_proxy", "https_proxy"].flatMap((name) => [name, name.toUpperCase()]);
function rerunWithProxies() {
  const { env, argv, execPath, execArgv } = process;
  if (readsProxies(env) || !canReadProxies() || !VARIABLES.some((name) => env[name]))
    return;
  const { status } = spawnSync(execPath, [...execArgv, ...argv.slice(1)], {
    stdio: "inherit",
    env: { ...env, NODE_USE_ENV_PROXY: "1" }
  });
  return status ?? 1;
}

// src/cli.ts
var awake2 = setInterval(() => {
  return;
}, 60000);
process.exitCode = rerunWithProxies() ?? await run(process.argv.slice(2));
clearInterval(awake2);
