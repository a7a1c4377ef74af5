// Proofs of work for orders, made ahead: one is ready when somebody orders, and the next before it is too old. A proof is
// the number with which SHA-256 of `<challenge>:<number>` begins with zero bits (docs/intake.md). This file is also the
// worker that looks for it; where there are no module workers, the page looks in slices.
// One hash a call of WebCrypto is a promise each, ten times slower than this: the text is one block of SHA-256.

const SLICE = 500; // hashes, some milliseconds of a cheap phone: the picture goes on
const RENEWED_PART = 0.8; // of the time that a challenge is good for
const AGAIN_MS = 5000; // after a try that came to nothing

const PRIMES = [];
for (let n = 2; PRIMES.length < 64; n += 1) if (PRIMES.every((prime) => n % prime)) PRIMES.push(n);
const fraction = (root) => ((root % 1) * 2 ** 32) | 0;
const K = Int32Array.from(PRIMES, (prime) => fraction(Math.cbrt(prime)));
const START = Int32Array.from(PRIMES.slice(0, 8), (prime) => fraction(Math.sqrt(prime)));
const w = new Int32Array(64);

/** The first word of the digest of the block that stands in the first sixteen words of `w`. */
function firstWord() {
  for (let i = 16; i < 64; i += 1) {
    const x = w[i - 15];
    const y = w[i - 2];
    w[i] = (w[i - 16] + w[i - 7] + (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)) + (((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10))) | 0;
  }
  let [a, b, c, d, e, f, g, h] = START;
  for (let i = 0; i < 64; i += 1) {
    const one = (h + (((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))) + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
    const two = ((((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + one) | 0;
    d = c;
    c = b;
    b = a;
    a = (one + two) | 0;
  }
  return (a + START[0]) | 0;
}

/** The number among `count` from `from` on, as text; null where there is none. At most 55 characters are one block. */
export function search(challenge, bits, from, count) {
  for (let number = from; number < from + count; number += 1) {
    const text = `${challenge}:${number}`;
    w.fill(0, 0, 16);
    for (let i = 0; i < text.length; i += 1) w[i >> 2] |= text.charCodeAt(i) << (24 - (i % 4) * 8);
    w[text.length >> 2] |= 0x80 << (24 - (text.length % 4) * 8);
    w[15] = text.length * 8;
    if (Math.clz32(firstWord()) >= bits) return String(number);
  }
  return null;
}

async function inSlices(challenge, bits) {
  for (let from = 0; ; from += SLICE) {
    const nonce = search(challenge, bits, from, SLICE);
    if (nonce) return { challenge, nonce };
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

function solve(challenge, bits) {
  return new Promise((resolve) => {
    let worker;
    const onPage = () => {
      worker?.terminate();
      resolve(inSlices(challenge, bits)); // no workers here, or none of modules
    };
    try {
      worker = new Worker(import.meta.url, { type: "module" });
    } catch {
      return onPage();
    }
    worker.onerror = onPage;
    worker.onmessage = ({ data }) => {
      worker.terminate();
      resolve(data);
    };
    worker.postMessage({ challenge, bits });
  });
}

let current = null; // promise of the proof
let timer = 0;
let until = 0; // by then another is made; a device that slept has missed it

/** The proof for an order, null where none could be had; one is kept ready from the first call on. */
export function proofOf(live) {
  const make = async () => {
    const answer = await live.send("challenge");
    const proof = answer.ok ? await solve(answer.challenge, answer.bits) : null;
    const wait = proof ? answer.seconds * 1000 * RENEWED_PART : AGAIN_MS;
    until = Date.now() + wait;
    timer = setTimeout(renew, wait);
    return proof;
  };
  const renew = () => {
    clearTimeout(timer);
    until = Infinity;
    current = live.settings.peek()?.proof_of_work ? make() : null; // switched off: no phone works for nothing
  };
  if (!current || Date.now() > until) renew();
  return current;
}

if (typeof document === "undefined") {
  globalThis.onmessage = ({ data: { challenge, bits } }) => {
    for (let from = 0; ; from += 10000) {
      const nonce = search(challenge, bits, from, 10000);
      if (nonce) return globalThis.postMessage({ challenge, nonce });
    }
  };
}
