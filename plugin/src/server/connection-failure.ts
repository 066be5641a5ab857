import { isProxied, proxyOf } from "../lib/proxy"
import { isObject, type Json } from "../opencode/client"
import { Failure } from "./errors"

interface Cause {
  /** Codes of errors of Node.js, and of releases of bun. */
  codes: readonly string[]
  /** The sentence about `who`, and `way`, which is `who` or the proxy on the way to it. */
  sentence(who: string, way: string): string
}

const MAX_CAUSES = 3
const RETRY = "Check the address and your network."

/** Why there is no answer, each with what to do. */
const CAUSES: readonly Cause[] = [
  {
    codes: [
      "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
      "UNABLE_TO_GET_ISSUER_CERT",
      "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
      "SELF_SIGNED_CERT_IN_CHAIN",
      "DEPTH_ZERO_SELF_SIGNED_CERT",
      "CERT_UNTRUSTED",
    ],
    sentence: (who) =>
      `The certificate of ${who} is from an authority that is not known here. If it is your organisation's, set NODE_EXTRA_CA_CERTS to the file of its certificate and restart.`,
  },
  {
    codes: ["CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID"],
    sentence: (who) =>
      `The certificate of ${who} is not valid today. Check the date of this machine, and tell who runs the server.`,
  },
  {
    codes: ["ERR_TLS_CERT_ALTNAME_INVALID", "HOSTNAME_MISMATCH"],
    sentence: (who) => `The certificate of ${who} is one for another name. Check the address.`,
  },
  {
    codes: [
      "EPROTO",
      "ERR_SSL_WRONG_VERSION_NUMBER",
      "ERR_SSL_PACKET_LENGTH_TOO_LONG",
      "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE",
    ],
    sentence: (who) => `${who} does not answer with TLS. Check whether its address begins with http: or https:.`,
  },
  {
    codes: ["ENOTFOUND", "EAI_AGAIN", "EAI_FAIL", "ENODATA", "FailedToOpenSocket"],
    sentence: (_, way) => `The name of ${way} cannot be resolved. ${RETRY}`,
  },
  {
    codes: ["ECONNREFUSED", "ConnectionRefused"],
    sentence: (_, way) => `${way} refuses connections: nothing runs at this address. ${RETRY}`,
  },
  {
    codes: ["EHOSTUNREACH", "ENETUNREACH", "ENETDOWN", "EADDRNOTAVAIL"],
    sentence: (_, way) => `There is no way to ${way} from this network. ${RETRY}`,
  },
  {
    codes: ["ECONNRESET", "EPIPE", "UND_ERR_SOCKET", "ConnectionClosed"],
    sentence: (_, way) => `${way} closed the connection before its answer was complete. Try again.`,
  },
  {
    codes: ["ERR_PROXY_TUNNEL", "UND_ERR_ABORTED"],
    sentence: (_, way) => `${way} does not let the request through. Ask who runs the proxy.`,
  },
  {
    codes: ["ETIMEDOUT", "UND_ERR_CONNECT_TIMEOUT", "ConnectionTimeout"],
    sentence: (_, way) => `${way} did not answer in time. ${RETRY}`,
  },
  {
    codes: ["Malformed_HTTP_Response", "InvalidHTTPResponse", "HPE_INVALID_CONSTANT", "HPE_INVALID_VERSION"],
    sentence: (who) => `${who} does not answer with HTTP. Check the address and its port.`,
  },
]

/** The failure of a request that got no answer. */
export function connectionFailure(
  error: unknown,
  who: string,
  url: string,
  env: Record<string, string | undefined>,
): Failure {
  const address = new URL(url)
  const way = isProxied(address, env) ? `the proxy ${proxyOf(address, env)} on the way to ${who}` : who
  const code = codeOf(error)
  const cause = CAUSES.find(({ codes }) => codes.includes(code))
  const sentence = cause?.sentence(who, way) ?? `${way} cannot be reached${code && ` (${code})`}. ${RETRY}`
  return new Failure("unreachable", sentence.replace(/^the /, "The "))
}

/** The first code in an error and its causes, where Node.js has it. */
function codeOf(error: unknown, depth = MAX_CAUSES): string {
  const { code, cause }: Json = isObject(error) ? error : {}
  if (typeof code === "string") return code
  return depth > 0 && cause !== undefined ? codeOf(cause, depth - 1) : ""
}
