const TEXT_OR_COMMENT = /"(?:[^"\\]|\\[\s\S])*"|\/\/[^\r\n]*|\/\*[\s\S]*?\*\//g
const TEXT_OR_TRAILING_COMMA = /"(?:[^"\\]|\\[\s\S])*"|,(?=\s*[}\]])/g

const textOnly = (match: string): string => (match.startsWith('"') ? match : " ")

/**
 * Parses JSON with comments and trailing commas, as OpenCode's configuration has them. Throws a SyntaxError for anything else.
 * Bun's own parser came with 1.3.6, after OpenCode 1.1.34, and a checkout has no packages.
 */
export function parseJsonc(text: string): unknown {
  return JSON.parse(text.replace(TEXT_OR_COMMENT, textOnly).replace(TEXT_OR_TRAILING_COMMA, textOnly))
}
