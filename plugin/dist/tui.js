// @bun
// src/lib/package.ts
import { readFileSync } from "fs";
import { fileURLToPath } from "url";
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

// src/lib/timeouts.ts
var MEGABYTE = 1e6;
function debounceFor(bytes) {
  if (bytes < 5 * MEGABYTE)
    return 500;
  return Math.min(20000, bytes / MEGABYTE * 1000);
}
var TIMEOUTS = {
  create: 8000,
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

// src/lib/visible.ts
var INVISIBLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}]/gu;
var NAMES = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
var visible = (text) => text.replace(INVISIBLE, escaped);
var excerpt = (text, length) => {
  const characters = visible(text.slice(0, length + 1));
  return characters.length > length ? `${characters.slice(0, length)}\u2026` : characters;
};
function escaped(character) {
  const code = character.charCodeAt(0).toString(16);
  return NAMES[character] ?? (code.length <= 2 ? `\\x${code.padStart(2, "0")}` : `\\u${code.padStart(4, "0")}`);
}

// src/server/api.ts
import { randomBytes } from "crypto";

// src/opencode/client.ts
var messageId = ({ info, id }) => String(isObject(info) ? info.id : id);
var isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

// src/server/answers.ts
var MAX_LINK_CHARACTERS = 2000;
var PRINTABLE = /^[\x21-\x7e]+$/;
var SIGNED_HEADER = /^(content-type|content-encoding|cache-control|if-none-match|x-amz-[a-z0-9-]+)$/i;
function readCreation({ url, secret, createdAt, plugin }) {
  if (typeof secret !== "string" || !PRINTABLE.test(secret) || !isTime(createdAt))
    return;
  const link = readUrl(url)?.href;
  return link && link.length <= MAX_LINK_CHARACTERS ? { url: link, secret, createdAt, plugin: isRelease(plugin) ? plugin : undefined } : undefined;
}
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
function readCommitted({ revision, next }) {
  return isRevision(revision) ? { revision, next: isObject(next) ? readUploadLink(next) : undefined } : undefined;
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
var machineResolver = (env) => (url) => isProxied(url, env) ? undefined : resolve;
async function resolve(name) {
  try {
    return (await Bun.dns.lookup(name, { backend: "system" })).map(({ address }) => address);
  } catch {
    throw new Failure("unreachable", `The name ${name} cannot be resolved. Check the address and your network.`);
  }
}

// src/server/networks.ts
import { BlockList, isIP } from "net";
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
      const revision = isTaken ? await this.#deliver("changes", share, link, encoded, base, signal) : undefined;
      if (revision === undefined)
        throw conflict(share);
      return revision;
    }, this.#retry(signal));
  }
  forget(share) {
    this.#next.delete(keyOf(share));
  }
  async#deliver(kind, share, link, { body, sha256 }, base, signal) {
    if (link.revision !== undefined && link.revision !== base)
      throw conflict(share);
    await this.#put(share, link, body, signal);
    if (link.revision === undefined)
      return;
    const { revision, next } = await this.#commit(share, { kind, sha256, base }, signal);
    if (next)
      this.#next.set(keyOf(share), { link: next, at: Date.now() });
    return revision;
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
    const next = this.#next.get(keyOf(share));
    this.#next.delete(keyOf(share));
    return next && Date.now() - next.at < MAX_LINK_AGE ? next.link : undefined;
  }
  #retry(signal) {
    return { pauses: this.timeouts.retries, maxRetryAfter: this.timeouts.maxRetryAfter, signal };
  }
}
var conflict = (share) => new Failure("conflict", `${hostOf(share.base)} has another version of this session.`);
var hostOf = (base) => new URL(base).host;
var keyOf = (share) => `${share.base}/${share.id}`;

// src/server/api.ts
var UNKNOWN_SIZE = 1;
var ASKS_FOR_TOKEN = "asks for a token: set BETTER_SHARE_TOKEN";
var TOKEN_MISSING = {
  user: ASKS_FOR_TOKEN,
  project: `${ASKS_FOR_TOKEN}, and BETTER_SHARE_BASE_URL, because a token is not sent to a server that only a project names`
};
var hostOf2 = (base) => new URL(base).host;

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
  async#create({ base, token, chosenBy }, sessionId, shareId, signal) {
    const host = hostOf2(base);
    const answer = await this.#json({
      method: "POST",
      url: `${base}/api/share/presign`,
      who: host,
      headers: token ? { authorization: `Bearer ${token}` } : {},
      body: JSON.stringify({ shareId, sessionId, size: UNKNOWN_SIZE, contentEncoding: "gzip" }),
      signal
    }).catch((error) => {
      if (error instanceof Failure && error.kind === "unauthorized") {
        throw new Failure("unauthorized", `${host} ${token ? "does not accept BETTER_SHARE_TOKEN" : TOKEN_MISSING[chosenBy]}.`);
      }
      if (error instanceof Failure && error.kind === "missing")
        throw misdirected(host);
      throw error;
    });
    const created = readCreation(answer);
    if (!created)
      throw misdirected(host);
    const { url, secret, createdAt, plugin } = created;
    return { share: { id: shareId, base, secret }, url, createdAt, plugin };
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
        who: hostOf2(share.base),
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
        who: hostOf2(share.base),
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

// src/state/remove-share.ts
async function removeShare(entry, shareList, stateFiles, api) {
  const share = await shareList.secretOf(entry);
  if (!share)
    return `What it takes to remove it is not on this machine any more: ask who runs ${hostOf2(entry.base)}.`;
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

// src/state/state-files.ts
import { createHash, randomUUID } from "crypto";
import { existsSync, lstatSync, readdirSync, renameSync, rmdirSync, symlinkSync, unlinkSync } from "fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "fs/promises";
import { homedir } from "os";
import { join } from "path";

// src/state/records.ts
var isText = (value) => typeof value === "string";
var isTime2 = (value) => typeof value === "number" && !Number.isNaN(new Date(value).getTime());
var isShare = (value) => isObject(value) && [value.id, value.base, value.secret].every(isText) && URL.canParse(String(value.base));
var areSecrets = (value) => Array.isArray(value) && value.every((secret) => Array.isArray(secret) && secret.length === 2 && secret.every((text) => isText(text) && text !== ""));
var FIELDS = {
  removal: { share: isShare },
  organisation: { sessionId: isText, share: isShare },
  unshared: { sessionId: isText },
  share: { id: isText, base: isText, url: isText, sessionId: isText, title: isText, createdAt: isTime2 },
  secret: { share: isShare },
  redacted: { id: isText, base: isText, secrets: areSecrets },
  size: { id: isText, base: isText, bytes: Number.isSafeInteger },
  allowed: { base: isText },
  update: { base: isText, at: isTime2 }
};
function isStateRecord(value) {
  if (!isObject(value) || !isKind(value.kind))
    return false;
  return Object.entries(FIELDS[value.kind]).every(([name, check]) => check(value[name]));
}
var isKind = (value) => typeof value === "string" && Object.hasOwn(FIELDS, value);

// src/state/state-files.ts
var stateHome = (env) => env.XDG_STATE_HOME || join(homedir(), ".local", "state");
var stateFolder = (env) => join(stateHome(env), NAME);
function openStateFolder(env) {
  const [folder, old] = [stateFolder(env), join(stateHome(env), OLD_NAME)];
  try {
    if (lstatSync(old).isSymbolicLink())
      return folder;
    if (existsSync(folder))
      mergeFolder(old, folder);
    else
      renameSync(old, folder);
    symlinkSync(folder, old, "junction");
  } catch {}
  return folder;
}
function mergeFolder(from, to) {
  for (const name of readdirSync(from))
    if (existsSync(join(to, name)))
      unlinkSync(join(from, name));
    else
      renameSync(join(from, name), join(to, name));
  rmdirSync(from);
}

class StateFiles {
  folder;
  constructor(folder) {
    this.folder = folder;
  }
  async write(record) {
    await mkdir(this.folder, { recursive: true, mode: 448 });
    const draft = join(this.folder, `.${randomUUID()}`);
    await writeFile(draft, JSON.stringify(record), { mode: 384, flush: true });
    await rename(draft, this.#path(record));
  }
  async remove(key) {
    return await rm(this.#path(key)).then(() => true, () => false);
  }
  async read(key) {
    const records = await readRecords(this.#path(key));
    return records.find((record) => record.kind === key.kind);
  }
  async readAll() {
    const names = await readdir(this.folder).catch(() => []);
    const records = await Promise.all(names.filter((name) => name.endsWith(".json")).map((name) => readRecords(join(this.folder, name))));
    return records.flat();
  }
  #path(key) {
    const subject = subjectOf(key);
    return join(this.folder, `${key.kind}-${createHash("sha256").update(subject).digest("hex").slice(0, 32)}.json`);
  }
}
function subjectOf(key) {
  if (key.kind === "share" || key.kind === "redacted" || key.kind === "size")
    return `${key.base}/${key.id}`;
  if (key.kind === "removal" || key.kind === "secret")
    return `${key.share.base}/${key.share.id}`;
  if (key.kind === "allowed" || key.kind === "update")
    return key.base;
  return key.sessionId;
}
async function readRecords(path) {
  try {
    const record = JSON.parse(await readFile(path, "utf8"));
    return isStateRecord(record) ? [record] : [];
  } catch {
    return [];
  }
}

// src/tui.ts
async function tui({ client, keymap, ui }) {
  const stateFiles = new StateFiles(openStateFolder(process.env));
  const shareList = new ShareList(stateFiles);
  const api = new ShareApi(TIMEOUTS);
  const remove = async (entries) => {
    ui.dialog.clear();
    const results = await Promise.all(entries.map(async (entry) => {
      const problem = await removeShare(entry, shareList, stateFiles, api);
      if (problem === undefined)
        await forget(entry, client).catch(() => {
          return;
        });
      return problem;
    }));
    const problem = results.find((result) => result !== undefined);
    const removed = results.filter((result) => result === undefined).length;
    ui.toast(problem === undefined ? { variant: "success", message: `Removed: ${shares(removed)}.` } : {
      variant: "error",
      message: `Removed: ${shares(removed)}. Not removed, the link still works: ${visible(problem)}`
    });
  };
  const confirm = (title, message, entries) => ui.dialog.replace(() => ui.DialogConfirm({ title, message, onConfirm: () => void remove(entries), onCancel: () => ui.dialog.clear() }));
  const list = async () => {
    const entries = await shareList.list();
    if (entries.length === 0)
      return ui.toast({ variant: "info", message: "No shares are known on this machine." });
    const options = entries.map((entry) => ({
      title: visible(entry.title || entry.url),
      value: entry.url,
      description: visible(entry.url),
      onSelect: () => confirm("Remove this share?", `${visible(entry.title)}
${visible(entry.url)}`, [entry])
    }));
    ui.dialog.replace(() => ui.DialogSelect({ title: "Your shares (choose one to remove it)", options }));
  };
  const unshareAll = async () => {
    const entries = await shareList.list();
    if (entries.length === 0)
      return ui.toast({ variant: "info", message: "No shares are known on this machine." });
    confirm("Remove all your shares?", `${shares(entries.length)}: the links stop working, and the servers delete the sessions.`, entries);
  };
  const common = { namespace: "palette", category: "Better Share" };
  keymap.registerLayer({
    commands: [
      {
        ...common,
        name: "better-share.list",
        title: "Your shares",
        desc: "List and remove your shares",
        slashName: "shares",
        run: list
      },
      {
        ...common,
        name: "better-share.remove-all",
        title: "Unshare all",
        desc: "Remove all your shares",
        slashName: "unshare-all",
        run: unshareAll
      }
    ]
  });
}
async function forget({ sessionId, url }, { session }) {
  const { data } = await session.get({ sessionID: sessionId });
  if (data?.share?.url === url)
    await session.unshare({ sessionID: sessionId });
}
var shares = (amount) => amount === 1 ? "1 share" : `${amount} shares`;
var tui_default = { id: NAME, tui };
export {
  tui_default as default
};
