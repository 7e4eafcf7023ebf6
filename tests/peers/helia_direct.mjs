// A Helia node that has webrtc-direct and nothing else, on loopback; one line of JSON in, one out (tests/peers/lines.py).
// Says {address, peer} when it is ready, then answers {connect}, {ping}, {peers}, {add: bytes}, {get: cid} with {sha256, size, seconds}.
import { createHash } from 'node:crypto'
import readline from 'node:readline'
import { noise } from '@chainsafe/libp2p-noise'
import { withBitswap } from '@helia/bitswap'
import { withLibp2pLight } from '@helia/libp2p'
import { unixfs } from '@helia/unixfs'
import { identify } from '@libp2p/identify'
import { ping } from '@libp2p/ping'
import { webRTCDirect } from '@libp2p/webrtc'
import { multiaddr } from '@multiformats/multiaddr'
import { MemoryBlockstore } from 'blockstore-core'
import { MemoryDatastore } from 'datastore-core'
import { createHeliaLight } from 'helia'
import { CID } from 'multiformats/cid'

const helia = withBitswap(withLibp2pLight(createHeliaLight({ blockstore: new MemoryBlockstore(), datastore: new MemoryDatastore() }), {
  addresses: { listen: ['/ip4/127.0.0.1/udp/0/webrtc-direct'] },
  transports: [webRTCDirect({ rtcConfiguration: { iceServers: [] } })],
  connectionEncrypters: [noise()],
  streamMuxers: [],
  connectionGater: { denyDialMultiaddr: () => false },
  connectionMonitor: { enabled: false },
  services: { identify: identify(), ping: ping() }
}))
await helia.start()
const content = unixfs(helia)

// What is wanted before the two know each other is lost now and then, between two of these too.
const met = async peer => {
  const { wantList } = helia.blockBrokers.find(one => one.name === 'bitswap').bitswap
  while (!wantList.peers.has(peer)) await new Promise(resolve => setTimeout(resolve, 10))
}

const commands = {
  connect: async address => {
    const connection = await helia.libp2p.dial(multiaddr(address))
    await met(connection.remotePeer)
    return { address: connection.remoteAddr.toString(), muxer: connection.multiplexer }
  },
  ping: async address => ({ milliseconds: await helia.libp2p.services.ping.ping(multiaddr(address)) }),
  peers: async () => helia.libp2p.getConnections().map(one => ({ peer: one.remotePeer.toString(), address: one.remoteAddr.toString(), direction: one.direction })),
  protocols: async peer => {
    const known = (await helia.libp2p.peerStore.all()).find(one => one.id.toString() === peer)
    return known?.protocols ?? []
  },
  add: async size => {
    const hash = createHash('sha256')
    const bytes = async function * () {
      for (let left = size; left > 0; left -= 1048576) {
        const part = crypto.getRandomValues(new Uint8Array(65536))
        const whole = new Uint8Array(Math.min(left, 1048576))
        for (let at = 0; at < whole.length; at += part.length) {
          part[0] += 1
          new DataView(part.buffer).setUint32(4, left - at)
          whole.set(part.subarray(0, Math.min(part.length, whole.length - at)), at)
        }
        hash.update(whole)
        yield whole
      }
    }
    const cid = await content.addByteStream(bytes())
    return { cid: cid.toString(), sha256: hash.digest('hex') }
  },
  get: async cid => {
    for (const one of helia.libp2p.getConnections()) await met(one.remotePeer)
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

const say = value => process.stdout.write(JSON.stringify(value) + '\n')
say({ address: helia.libp2p.getMultiaddrs()[0].toString(), peer: helia.libp2p.peerId.toString() })
for await (const line of readline.createInterface({ input: process.stdin })) {
  const [[name, argument]] = Object.entries(JSON.parse(line))
  try {
    say(await commands[name](argument))
  } catch (error) {
    say({ error: String(error?.stack ?? error) })
  }
}
process.exit(0)
