// A Helia node on TCP with bitswap and nothing else, on loopback; one line of JSON in, one out (tests/peers/lines.py).
// Says {address, peer} when it is ready, then answers {connect}, {add: path}, {get: cid} with {sha256, size, seconds}.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import readline from 'node:readline'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { withBitswap } from '@helia/bitswap'
import { withLibp2pLight } from '@helia/libp2p'
import { unixfs } from '@helia/unixfs'
import { identify } from '@libp2p/identify'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { MemoryBlockstore } from 'blockstore-core'
import { MemoryDatastore } from 'datastore-core'
import { createHeliaLight } from 'helia'
import { CID } from 'multiformats/cid'

const helia = withBitswap(withLibp2pLight(createHeliaLight({ blockstore: new MemoryBlockstore(), datastore: new MemoryDatastore() }), {
  addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
  transports: [tcp()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  connectionGater: { denyDialMultiaddr: () => false },
  connectionMonitor: { enabled: false },
  services: { identify: identify() }
}))
await helia.start()
const content = unixfs(helia)

const commands = {
  connect: async address => (await helia.libp2p.dial(multiaddr(address))).remotePeer.toString(),
  add: async path => (await content.addByteStream(createReadStream(path, { highWaterMark: 1048576 }))).toString(),
  get: async cid => {
    const hash = createHash('sha256')
    const begun = performance.now()
    let size = 0
    for await (const part of content.cat(CID.parse(cid))) {
      size += part.length
      hash.update(part)
    }
    return { size, seconds: (performance.now() - begun) / 1000, sha256: hash.digest('hex') }
  }
}

const say = line => console.log(JSON.stringify(line))
say({ address: helia.libp2p.getMultiaddrs()[0].toString(), peer: helia.libp2p.peerId.toString() })
for await (const line of readline.createInterface({ input: process.stdin })) {
  const [[name, argument]] = Object.entries(JSON.parse(line))
  try {
    say({ result: await commands[name](argument) })
  } catch (error) {
    say({ error: `${error.name}: ${error.message}` })
  }
}
await helia.stop()
process.exit(0)
