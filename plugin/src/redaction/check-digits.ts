/** Verifies the check digits at the end of GitHub's and npm's tokens. */

const PAYLOAD = 30
const DIGITS = 6
const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/** Whether the last six characters are the check digits of the thirty ahead of them. */
export function hasCheckDigits(value: string): boolean {
  const payload = value.slice(-PAYLOAD - DIGITS, -DIGITS)
  return payload.length === PAYLOAD && value.slice(-DIGITS) === checkDigits(payload)
}

/**
 * The CRC-32 of a payload in base 62, as GitHub describes it:
 * https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
 */
function checkDigits(payload: string): string {
  let number = crc32(Buffer.from(payload))
  let digits = ""
  for (let count = 0; count < DIGITS; count++) {
    digits = BASE62.charAt(number % BASE62.length) + digits
    number = Math.floor(number / BASE62.length)
  }
  return digits
}

/** `crc32` of node:zlib is younger than the oldest Node.js that the command line runs in. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  return (crc ^ 0xffffffff) >>> 0
}
