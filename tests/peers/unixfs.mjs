// Helia's UnixFS without a network, driven by lines of JSON on standard input; needs Node 24.
//
// Each line is a request, each answer a line: `{ "cid": ... }`, `{ "text": ... }`, `{ "names": ... }` or `{ "error": ... }`.
//   { "op": "add", "profile"?, "entries": [...], "options"? }   the root of what the entries make
//   { "op": "remove", "cid", "names": [...], "profile"? }        the directory without these names, one by one
//   { "op": "set", "cid", "names": [...], "profile"? }           the directory with these files, each holding its name
//   { "op": "read", "cid", "blocks": { cid: base64 } }           a file whose blocks come from elsewhere
//   { "op": "list", "cid", "blocks": { cid: base64 } }           the names in a directory, likewise
// An entry is { path, text | file | link | (nothing: a directory), mode?, mtime? } or { path, many, prefix }: that
// many files in a directory, named by the prefix and a number, each holding its own name. Options: chunk (bytes),
// rabin { min, avg, max }, balanced { max }, trickle { max }, rawLeaves, cidVersion, leafType, reduceSingleLeafToSelf.
import { unixfs } from '@helia/unixfs'
import { MemoryBlockstore } from 'blockstore-core'
import { importer } from 'ipfs-unixfs-importer'
import { fixedSize, rabin } from 'ipfs-unixfs-importer/chunker'
import { balanced, trickle } from 'ipfs-unixfs-importer/layout'
import { CID } from 'multiformats/cid'
import fs from 'node:fs'
import { serve } from './serve.mjs'

const blockstore = new MemoryBlockstore()
const content = unixfs({ blockstore })
const encoder = new TextEncoder()

function * candidates (entries) {
  for (const { many, prefix, path, text, file, link, mode, mtime } of entries) {
    for (let index = 0; index < (many ?? 0); index++) {
      const name = `${prefix}${index}`
      yield { path: `${path}/${name}`, content: encoder.encode(name) }
    }
    if (many != null) continue
    const candidate = { path, mode, mtime: mtime && { secs: BigInt(mtime.secs), nsecs: mtime.nsecs } }
    if (text != null) candidate.content = encoder.encode(text)
    if (file != null) candidate.content = fs.createReadStream(file, { highWaterMark: 1 << 20 })
    if (link != null) candidate.link = link
    yield candidate
  }
}

function importerOptions ({ profile, options = {} }) {
  const { rabin: sizes, chunk, balanced: wide, trickle: width, ...rest } = options
  const made = { ...rest }
  if (profile != null) made.profile = profile
  if (sizes != null) made.chunker = rabin({ minChunkSize: sizes.min, avgChunkSize: sizes.avg, maxChunkSize: sizes.max, window: 16 })
  if (chunk != null) made.chunker = fixedSize({ chunkSize: chunk })
  if (wide != null) made.layout = balanced({ maxChildrenPerNode: wide.max })
  if (width != null) made.layout = trickle({ maxChildrenPerNode: width.max })
  return made
}

async function take (blocks) {
  for (const [cid, data] of Object.entries(blocks)) await blockstore.put(CID.parse(cid), Buffer.from(data, 'base64'))
}

const operations = {
  async add (request) {
    let last
    for await (const entry of importer(candidates(request.entries), blockstore, importerOptions(request))) last = entry
    return { cid: last.cid.toString(), size: Number(last.size) }
  },
  async remove ({ cid, names, profile }) {
    let root = CID.parse(cid)
    for (const name of names) root = await content.rm(root, name, { profile })
    return { cid: root.toString() }
  },
  async set ({ cid, names, profile }) {
    let root = CID.parse(cid)
    for (const name of names) root = await content.cp(await content.addBytes(encoder.encode(name)), root, name, { force: true, profile })
    return { cid: root.toString() }
  },
  async read ({ cid, blocks }) {
    await take(blocks)
    const parts = []
    for await (const part of content.cat(CID.parse(cid))) parts.push(part)
    return { text: Buffer.concat(parts).toString('base64') }
  },
  async list ({ cid, blocks }) {
    await take(blocks)
    const names = []
    for await (const entry of content.ls(CID.parse(cid))) names.push(entry.name)
    return { names }
  }
}

await serve(operations)
