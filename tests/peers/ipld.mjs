// The JavaScript IPLD codecs and CAR library, driven by lines of JSON on standard input; needs Node 24.
//
// Bytes travel as base64. Each line is a request, each answer a line:
//   { "op": "transcode", "codec", "blocks": [...], "to": [codec, ...] }
//       { "results": [...] }: for each block { codec: bytes or { "refused": why } }, or { "refused": why } when it is not read
//   { "op": "car-read", "car" }                                   { "version", "roots": [cid], "blocks": [[cid, bytes]] } or
//                                                                 { "refused": why, "blocks": those before it }
//   { "op": "car-write", "roots": [cid], "blocks": [[cid, bytes]] }   { "car" }
import { CarBlockIterator, CarWriter } from '@ipld/car'
import * as dagCbor from '@ipld/dag-cbor'
import * as dagJson from '@ipld/dag-json'
import * as dagPb from '@ipld/dag-pb'
import { CID } from 'multiformats/cid'
import { serve } from './serve.mjs'

const codecs = { 'dag-cbor': dagCbor, 'dag-json': dagJson, 'dag-pb': dagPb }
const fromBase64 = (text) => new Uint8Array(Buffer.from(text, 'base64'))
const toBase64 = (bytes) => Buffer.from(bytes).toString('base64')

function transcode ({ codec, blocks, to }) {
  const results = []
  for (const block of blocks) {
    let value
    try {
      value = codecs[codec].decode(fromBase64(block))
    } catch (error) {
      results.push({ refused: String(error.message) })
      continue
    }
    const result = {}
    for (const target of to) {
      try {
        result[target] = toBase64(codecs[target].encode(value))
      } catch (error) {
        result[target] = { refused: String(error.message) }
      }
    }
    results.push(result)
  }
  return { results }
}

async function readCar ({ car }) {
  const blocks = []
  try {
    const iterator = await CarBlockIterator.fromBytes(fromBase64(car))
    const roots = (await iterator.getRoots()).map(String)
    for await (const { cid, bytes } of iterator) blocks.push([String(cid), toBase64(bytes)])
    return { version: iterator.version, roots, blocks }
  } catch (error) {
    return { refused: String(error.message), blocks }
  }
}

async function writeCar ({ roots, blocks }) {
  const { writer, out } = CarWriter.create(roots.map((root) => CID.parse(root)))
  const parts = []
  const drained = (async () => { for await (const part of out) parts.push(part) })()
  for (const [cid, bytes] of blocks) await writer.put({ cid: CID.parse(cid), bytes: fromBase64(bytes) })
  await writer.close()
  await drained
  return { car: toBase64(Buffer.concat(parts)) }
}

await serve({ transcode, 'car-read': readCar, 'car-write': writeCar })
