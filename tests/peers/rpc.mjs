// Drives every command of kubo-rpc-client against a daemon, and a second for company:
// `node rpc.mjs http://127.0.0.1:5001 http://127.0.0.1:5002`.
// Prints one JSON line a case, and in the end which functions of the client no case called.

import assert from 'node:assert/strict'
import { CarReader } from '@ipld/car'
import * as dagCbor from '@ipld/dag-cbor'
import { create, globSource } from 'kubo-rpc-client'
import { CID } from 'multiformats/cid'
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const plain = create({ url: process.argv[2] })
const called = new Set()
const all = []

/** The client with every call noted by its path, as in `files.stat`. */
function noted (object, path) {
  return new Proxy(object, {
    get (target, name) {
      const value = target[name]
      const here = path ? `${path}.${String(name)}` : String(name)
      if (typeof value === 'function') {
        const call = (...given) => { called.add(here); return value.apply(target, given) }
        return Object.assign(call, value) // `refs` is a function with functions
      }
      return value !== null && typeof value === 'object' ? noted(value, here) : value
    }
  })
}

function list (object, path) {
  for (const [name, value] of Object.entries(object)) {
    if (['bases', 'codecs', 'hashers'].includes(name)) continue // the client's own tables
    const here = path ? `${path}.${name}` : name
    if (typeof value === 'function') all.push(here)
    else if (value !== null && typeof value === 'object') list(value, here)
  }
}

list(plain, '')
const ipfs = noted(plain, '')

const other = noted(create({ url: process.argv[3] }), '') // of another node

/** Ask until it is so: tables fill and messages travel in their own time. */
async function until (ask) {
  let failed
  for (let times = 0; times < 100; times++) {
    try { if (await ask()) return } catch (error) { failed = error }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw failed ?? new Error('it never became so')
}

const text = new TextDecoder()
const bytes = (string) => new TextEncoder().encode(string)
const collect = async (source) => { const out = []; for await (const item of source) out.push(item); return out }
const concat = async (source) => Buffer.concat(await collect(source))
const big = randomBytes(3_000_000)
const hello = CID.parse('bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am') // of "hello\n"

const cases = {
  async 'add gives the address and size' () {
    const added = await ipfs.add('hello\n', { cidVersion: 1 })
    assert.equal(`${added.cid}`, `${hello}`)
    assert.equal(added.path, `${hello}`)
    const old = await ipfs.add('hello\n', { cidVersion: 0 })
    assert.equal(`${old.cid}`, 'QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXEN')
    assert.equal(old.size, 14)
  },
  async 'add streams what is larger, and says how far it is' () {
    const counts = []
    const added = await ipfs.add({ path: 'big', content: big }, { progress: (size, path) => counts.push([size, path]) })
    assert.deepEqual(counts.at(-1), [big.length, 'big'])
    assert.deepEqual(await concat(ipfs.cat(added.cid)), big)
    assert.deepEqual(await concat(ipfs.cat(added.cid, { offset: 1_000_000, length: 99 })), big.subarray(1_000_000, 1_000_099))
  },
  async 'addAll makes folders, in any order, with metadata' () {
    const source = [
      { path: '/tmp/a', content: 'a', mode: 0o600, mtime: { secs: 5, nsecs: 7 } },
      { path: 'other/b', content: 'b' },
      { path: '/tmp/sub/c', content: 'c' },
      { path: 'empty' }
    ]
    const added = await collect(ipfs.addAll(source, { cidVersion: 1 }))
    const byPath = Object.fromEntries(added.map((file) => [file.path, file]))
    assert.deepEqual(Object.keys(byPath).sort(), ['empty', 'other', 'other/b', 'tmp', 'tmp/a', 'tmp/sub', 'tmp/sub/c'])
    assert.equal(byPath['tmp/a'].mode, 0o600)
    assert.deepEqual(byPath['tmp/a'].mtime, { secs: 5, nsecs: 7 })
    assert.equal(text.decode(await concat(ipfs.cat(`${byPath.tmp.cid}/sub/c`))), 'c')
  },
  async 'addAll wraps, and takes globs' () {
    const folder = mkdtempSync(join(tmpdir(), 'zwerm-rpc-'))
    mkdirSync(join(folder, 'deep'))
    writeFileSync(join(folder, 'one.txt'), '1')
    writeFileSync(join(folder, 'deep', 'two.txt'), '2')
    const added = await collect(ipfs.addAll(globSource(folder, '**/*'), { wrapWithDirectory: true }))
    rmSync(folder, { recursive: true })
    assert.equal(added.at(-1).path, '')
    assert.equal(text.decode(await concat(ipfs.cat(`${added.at(-1).cid}/deep/two.txt`))), '2')
  },
  async 'add keeps nothing when only the hash is wanted' () {
    const content = randomBytes(100)
    const { cid } = await ipfs.add(content, { onlyHash: true })
    await assert.rejects(collect(ipfs.cat(cid)), /is not here/)
  },
  async 'ls lists folders and files' () {
    const added = await collect(ipfs.addAll([{ path: 'd/a', content: 'a' }, { path: 'd/s/b', content: 'bb' }]))
    const root = added.find((file) => file.path === 'd').cid
    const entries = await collect(ipfs.ls(root))
    assert.deepEqual(entries.map(({ name, type, size }) => [name, type, size]), [['a', 'file', 1], ['s', 'dir', 0]])
    const [file] = await collect(ipfs.ls(`${root}/a`))
    assert.equal(file.type, 'file')
  },
  async 'get gives a tar, or what gzip makes of it' () {
    const { cid } = await ipfs.add('in a tar')
    const tar = await concat(ipfs.get(cid, { archive: true }))
    assert.equal(tar.length % 512, 0)
    assert.ok(tar.includes('in a tar'))
    const packed = await concat(ipfs.get(cid, { compress: true, compressionLevel: 3 }))
    assert.deepEqual([...packed.subarray(0, 2)], [0x1f, 0x8b])
  },
  async 'blocks are put, shown and removed' () {
    const cid = await ipfs.block.put(bytes('a block'), { format: 'raw', mhtype: 'sha2-256', version: 1 })
    assert.equal(text.decode(await ipfs.block.get(cid)), 'a block')
    assert.deepEqual(await ipfs.block.stat(cid), { cid, size: 7 })
    const [removed] = await collect(ipfs.block.rm(cid))
    assert.equal(`${removed.cid}`, `${cid}`)
    const [failed] = await collect(ipfs.block.rm(cid))
    assert.match(failed.error.message, /is not here/)
  },
  async 'linked data is put, shown, resolved and archived' () {
    const inner = await ipfs.dag.put({ name: 'inner' }, { pin: false })
    const outer = await ipfs.dag.put({ to: inner, list: [1, { deep: true }] }, { storeCodec: 'dag-cbor', hashAlg: 'sha2-256', pin: true })
    assert.deepEqual((await ipfs.dag.get(outer)).value, { to: inner, list: [1, { deep: true }] })
    assert.equal((await ipfs.dag.get(outer, { path: '/to/name' })).value, 'inner')
    const resolved = await ipfs.dag.resolve(outer, { path: 'to/name' })
    assert.deepEqual([`${resolved.cid}`, resolved.remainderPath], [`${inner}`, 'name'])
    const json = await ipfs.dag.put({ hello: 'json' }, { storeCodec: 'dag-json' })
    assert.equal(json.code, 0x0129)
    const car = await concat(ipfs.dag.export(outer))
    const reader = await CarReader.fromBytes(car)
    assert.deepEqual((await reader.getRoots()).map(String), [`${outer}`])
    assert.deepEqual(dagCbor.decode((await reader.get(inner)).bytes), { name: 'inner' })
    const [imported] = await collect(ipfs.dag.import((async function * () { yield car })()))
    assert.deepEqual([`${imported.root.cid}`, imported.root.pinErrorMsg], [`${outer}`, ''])
    assert.deepEqual(await collect(ipfs.dag.import((async function * () { yield car })(), { pinRoots: false })), [])
  },
  async 'files are written, read, listed and described' () {
    await ipfs.files.mkdir('/js/sub', { parents: true })
    await ipfs.files.write('/js/a', bytes('hello world'), { create: true })
    await ipfs.files.write('/js/a', 'HE', { offset: 0 })
    await ipfs.files.write('/js/big', (async function * () { yield big })(), { create: true, truncate: true })
    assert.equal(text.decode(await concat(ipfs.files.read('/js/a'))), 'HEllo world')
    assert.equal(text.decode(await concat(ipfs.files.read('/js/a', { offset: 6, length: 3, count: 3 }))), 'wor')
    assert.deepEqual(await concat(ipfs.files.read('/js/big')), big)
    const entries = await collect(ipfs.files.ls('/js'))
    assert.deepEqual(entries.map(({ name, type, size }) => [name, type, size]),
      [['a', 'file', 11], ['big', 'file', big.length], ['sub', 'directory', 0]])
    const stat = await ipfs.files.stat('/js/a', { withLocal: true })
    assert.deepEqual([stat.size, stat.type, stat.withLocality, stat.local], [11, 'file', true, true])
    assert.equal(`${(await ipfs.files.stat(`/ipfs/${stat.cid}`)).cid}`, `${stat.cid}`)
  },
  async 'files are copied, moved, described and removed' () {
    await ipfs.files.write('/js2/a', bytes('x'), { create: true, parents: true })
    await ipfs.files.cp('/js2/a', '/js2/b')
    await ipfs.files.mv('/js2/a', '/js2/c')
    assert.deepEqual((await collect(ipfs.files.ls('/js2'))).map(({ name }) => name), ['b', 'c'])
    assert.match(`${await ipfs.files.flush('/js2')}`, /^baf/)
    await assert.rejects(ipfs.files.rm('/js2'), /-r/)
    await ipfs.files.rm('/js2', { recursive: true })
    await assert.rejects(ipfs.files.stat('/js2'), /file does not exist/)
  },
  async 'pins are added, listed, moved and removed' () {
    const { cid } = await ipfs.add(randomBytes(600_000), { pin: false })
    const { cid: next } = await ipfs.add(randomBytes(10), { pin: false })
    assert.equal(`${await ipfs.pin.add(cid, { name: 'mine' })}`, `${cid}`)
    const [named] = await collect(ipfs.pin.ls({ name: 'mine' }))
    assert.deepEqual([`${named.cid}`, named.type, named.name], [`${cid}`, 'recursive', 'mine'])
    const [one] = await collect(ipfs.pin.ls({ paths: cid, type: 'recursive' }))
    assert.equal(one.type, 'recursive')
    assert.equal((await collect(ipfs.pin.addAll([{ path: next, recursive: false }]))).length, 1)
    await assert.rejects(collect(ipfs.pin.ls({ paths: hello, type: 'direct' })), /is not pinned/)
    assert.equal(`${await ipfs.pin.rm(next)}`, `${next}`)
    const { cid: newer } = await ipfs.add(randomBytes(10), { pin: false })
    const [from, to] = Object.values(await ipfs.pin.update(cid, newer)).length ? [cid, newer] : []
    assert.ok(from && to)
    assert.deepEqual((await collect(ipfs.pin.rmAll([newer]))).map(String), [`${newer}`])
    await assert.rejects(ipfs.pin.rm(newer), /not pinned/)
  },
  async 'keys are made, listed, renamed, imported and removed' () {
    const key = await ipfs.key.gen('js', { type: 'ed25519' })
    assert.equal(key.name, 'js')
    assert.deepEqual((await ipfs.key.list()).map(({ name }) => name), ['self', 'js'])
    const renamed = await ipfs.key.rename('js', 'mjs')
    assert.deepEqual([renamed.was, renamed.now, renamed.overwrite, renamed.id], ['js', 'mjs', false, key.id])
    assert.equal((await ipfs.key.rm('mjs')).id, key.id)
    await assert.rejects(ipfs.key.rm('mjs'), /no key named/)
    await assert.rejects(ipfs.key.import('pem', 'no key', 'password'))
  },
  async 'settings are shown and changed' () {
    const before = await ipfs.config.getAll()
    assert.match(before.Identity.PeerID, /^12D3KooW/)
    assert.match(await ipfs.config.get('Addresses.Gateway'), /^\/ip4\/127\.0\.0\.1\/tcp\//)
    await ipfs.config.set('Datastore.StorageMax', '7GB')
    assert.equal(await ipfs.config.get('Datastore.StorageMax'), '7GB')
    await ipfs.config.set('Discovery.MDNS.Enabled', true)
    await ipfs.config.set('API.HTTPHeaders.Access-Control-Allow-Origin', ['http://localhost:3000'])
    assert.deepEqual(await ipfs.config.get('API.HTTPHeaders.Access-Control-Allow-Origin'), ['http://localhost:3000'])
    await ipfs.config.replace(before)
    assert.deepEqual(await ipfs.config.getAll(), before)
    await assert.rejects(ipfs.config.set('Fruit', 'banana'), /no setting is named/)
    assert.equal((await ipfs.config.profiles.apply('lowpower', { dryRun: true })).original.Identity.PeerID, before.Identity.PeerID)
  },
  async 'the repository says how it is and is cleaned' () {
    const stat = await ipfs.repo.stat()
    assert.equal((await ipfs.stats.repo()).numObjects, stat.numObjects)
    assert.ok(stat.numObjects > 0n && stat.repoSize > 0n && stat.storageMax > stat.repoSize)
    assert.match(`${await ipfs.repo.version()}`, /^\d+$/)
    const { cid } = await ipfs.add(randomBytes(50), { pin: false })
    const gone = (await collect(ipfs.repo.gc())).map(({ cid }) => `${cid}`)
    assert.ok(gone.includes(`${cid}`))
    const [usage] = await collect(ipfs.stats.bw())
    assert.equal(usage.totalIn, 0n)
  },
  async 'links are listed' () {
    const { cid } = await ipfs.add(big)
    const refs = await collect(ipfs.refs(cid, { recursive: true, unique: true }))
    assert.equal(refs.length, 12)
    const local = await collect(ipfs.refs.local())
    assert.ok(local.some(({ ref }) => ref === refs[0].ref))
  },
  async 'paths are resolved' () {
    await ipfs.files.write('/resolved', bytes('hello\n'), { create: true })
    assert.equal(await ipfs.resolve(`/ipfs/${hello}`), `/ipfs/${hello}`)
    await assert.rejects(ipfs.resolve('/ipns/example.org'), /nothing is published/)
  },
  async 'the node says who it is and what it can do' () {
    const id = await ipfs.id()
    assert.match(`${id.id}`, /^12D3KooW/)
    assert.match(id.agentVersion, /^kubo\/.*\/zwerm\//)
    assert.match((await ipfs.version()).version, /^0\.\d+\.\d+$/)
    assert.ok((await ipfs.commands()).Subcommands.some(({ Name }) => Name === 'add'))
    assert.ok((await ipfs.diag.sys()).diskinfo)
    assert.equal(ipfs.getEndpointConfig().host, '127.0.0.1')
    assert.equal(await ipfs.isOnline(), true)
  },
  async 'connections and what is exchanged are told' () {
    assert.deepEqual(await ipfs.swarm.peers({ verbose: true }), [])
    assert.deepEqual(await ipfs.swarm.addrs(), [])
    const addresses = (await ipfs.swarm.localAddrs()).map(String)
    assert.ok(addresses.some(address => address.startsWith('/ip4/127.0.0.1/tcp/')))
    await assert.rejects(ipfs.swarm.connect('/ip4/127.0.0.1/tcp/1/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'), /failure/)
    const stat = await ipfs.bitswap.stat()
    assert.deepEqual([stat.wantlist, stat.peers, stat.blocksReceived], [[], [], 0n])
    assert.deepEqual(await ipfs.bitswap.wantlist(), [])
    assert.deepEqual(await ipfs.stats.bitswap(), stat)
  },
  async 'peers asked first are listed' () {
    assert.deepEqual((await ipfs.bootstrap.list()).Peers, [])
    const peer = '/ip4/192.0.2.1/tcp/4001/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'
    assert.deepEqual((await ipfs.bootstrap.rm(peer)).Peers, [])
  },
  async 'errors carry the daemon\'s words' () {
    await assert.rejects(collect(ipfs.cat('nonsense')), /invalid path/)
    await assert.rejects(ipfs.files.mkdir('relative'), /paths must start with a leading slash/)
    await assert.rejects(ipfs.add('x', { chunker: 'odd' }), /odd/)
    const broken = (async function * () { yield bytes('x'); throw new Error('source broke') })()
    await assert.rejects(ipfs.add(broken))
  },
  async 'a peer is met, pinged, shown and left' () {
    const { id, addresses } = await other.id()
    const address = addresses.find((each) => /\/tcp\/\d+\/p2p\//.test(`${each}`))
    await ipfs.swarm.connect(address)
    const [peer] = await ipfs.swarm.peers({ verbose: true, direction: true })
    assert.equal(`${peer.peer}`, `${id}`)
    assert.ok((await ipfs.swarm.addrs()).some((known) => `${known.id}` === `${id}`))
    const pings = await collect(ipfs.ping(id, { count: 2 }))
    assert.equal(pings.filter(({ success, time }) => success && time > 0).length, 2)
    assert.deepEqual(await ipfs.bitswap.wantlistForPeer(id), [])
    await ipfs.swarm.disconnect(address)
    await ipfs.swarm.connect(address)
  },
  async 'what one provides the other finds' () {
    const { cid } = await ipfs.add(randomBytes(99), { cidVersion: 1, pin: false })
    const me = `${(await ipfs.id()).id}`
    const { id } = await other.id()
    await until(async () => (await collect(ipfs.routing.provide(cid))).length > 0)
    const found = await collect(other.routing.findProvs(cid, { numProviders: 1 }))
    assert.ok(found.some(({ providers }) => providers?.some((each) => `${each.id}` === me)))
    const where = await collect(ipfs.routing.findPeer(id))
    assert.ok(where.some(({ peer }) => `${peer?.id}` === `${id}`))
    assert.ok((await collect(ipfs.dht.query(id))).length > 0)
  },
  async 'a name is published here and followed there, and its record moved by hand' () {
    const { cid } = await ipfs.add('named', { cidVersion: 1 })
    const { name, value } = await ipfs.name.publish(cid, { resolve: false, allowOffline: true })
    assert.equal(value, `/ipfs/${cid}`)
    assert.deepEqual(await collect(ipfs.name.resolve(`/ipns/${name}`)), [`/ipfs/${cid}`])
    await until(async () => (await collect(other.name.resolve(`/ipns/${name}`))).at(-1) === `/ipfs/${cid}`)
    const record = (await collect(ipfs.routing.get(`/ipns/${name}`))).find((event) => event.name === 'VALUE').value
    await collect(ipfs.routing.put(`/ipns/${name}`, record))
  },
  async 'what is said on a topic is heard' () {
    const heard = []
    await other.pubsub.subscribe('news', (message) => heard.push(text.decode(message.data)))
    const { id } = await other.id()
    await until(async () => (await ipfs.pubsub.peers('news')).some((each) => `${each}` === `${id}`))
    assert.ok((await other.pubsub.ls()).includes('news'))
    await until(async () => { await ipfs.pubsub.publish('news', bytes('hello')); return heard.includes('hello') })
    await other.pubsub.unsubscribe('news')
  },
  async 'a request can be given up' () {
    const controller = new AbortController()
    controller.abort()
    await assert.rejects(ipfs.id({ signal: controller.signal }))
  },
  async 'the daemon stops' () {
    await ipfs.stop()
  }
}

let failed = false
for (const [name, run] of Object.entries(cases)) {
  let error = ''
  try { await run() } catch (caught) { failed = true; error = `${caught.stack}` }
  console.log(JSON.stringify({ case: name, error }))
}
console.log(JSON.stringify({ uncalled: all.filter((path) => !called.has(path)).sort(), digest: createHash('sha256').update(big).digest('hex') }))
process.exit(failed ? 1 : 0)
