// Commits of `docs/versions.md`, made and verified from that page alone, driven by lines of JSON; needs Node 24.
//
// Bytes travel as base64. Each line is a request, each answer a line:
//   { "op": "make", "seed", "root": cid, "parents": [cid], "time", "message", "changes": [...], "omitted"?, "grafts"? }
//       { "cid", "block" }
//   { "op": "verify", "car" }     { "commits": [{ "cid", "message", "time", "root", "signed", "canonical" }] }, newest first
import { CarBlockIterator } from '@ipld/car'
import * as dagCbor from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { serve } from './serve.mjs'

const fromBase64 = (text) => new Uint8Array(Buffer.from(text, 'base64'))
const toBase64 = (bytes) => Buffer.from(bytes).toString('base64')

const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex') // what stands before an Ed25519 seed
const SPKI = Buffer.from('302a300506032b6570032100', 'hex') // and before a public key
const LIBP2P = Buffer.from('08011220', 'hex') // PublicKey { type: Ed25519, data: 32 bytes }
const CONTEXT = Buffer.from('zwerm/commit:')

const signedBytes = (document) => {
  const { signature, ...rest } = document
  return Buffer.concat([CONTEXT, dagCbor.encode(rest)])
}

async function make ({ seed, root, parents, time, message, changes, omitted, grafts }) {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, fromBase64(seed)]), format: 'der', type: 'pkcs8' })
  const raw = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(SPKI.length)
  const document = {
    type: 'zwerm/commit',
    root: CID.parse(root),
    parents: parents.map((parent) => CID.parse(parent)),
    time,
    author: new Uint8Array(Buffer.concat([LIBP2P, raw])),
    message,
    changes
  }
  if (omitted) document.omitted = omitted
  if (grafts) document.grafts = grafts.map(({ path, commit }) => ({ path, commit: CID.parse(commit) }))
  document.signature = new Uint8Array(sign(null, signedBytes(document), key))
  const block = dagCbor.encode(document)
  return { cid: String(CID.createV1(dagCbor.code, await sha256.digest(block))), block: toBase64(block) }
}

async function check ({ car }) {
  const iterator = await CarBlockIterator.fromBytes(fromBase64(car))
  const [head] = await iterator.getRoots()
  const blocks = new Map()
  for await (const { cid, bytes } of iterator) blocks.set(String(cid), bytes)
  const commits = []
  for (let cid = head; cid !== undefined;) {
    const bytes = blocks.get(String(cid))
    const document = dagCbor.decode(bytes)
    const author = Buffer.from(document.author)
    const known = author.subarray(0, LIBP2P.length).equals(LIBP2P) && author.length === 36
    const key = known && createPublicKey({ key: Buffer.concat([SPKI, author.subarray(LIBP2P.length)]), format: 'der', type: 'spki' })
    commits.push({
      cid: String(cid),
      message: document.message,
      time: document.time,
      root: String(document.root),
      signed: known && verify(null, signedBytes(document), key, Buffer.from(document.signature)),
      canonical: Buffer.from(dagCbor.encode(document)).equals(Buffer.from(bytes)) && document.type === 'zwerm/commit'
    })
    cid = document.parents[0]
  }
  return { commits }
}

await serve({ make, verify: check })
