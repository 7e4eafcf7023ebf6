// libp2p in JavaScript, as Helia has it, with the DHT of local networks and nothing else; loopback, one line of JSON in,
// one out (tests/peers/lines.py). Says {address, peer}, then answers {connect}, {size}, {provide: cid}, {find: cid},
// {closest: cid}, {put: [key, value]} and {get: key}, keys and values as base64.
import readline from 'node:readline'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { identify } from '@libp2p/identify'
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { CID } from 'multiformats/cid'

const node = await createLibp2p({
  addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
  transports: [tcp()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  connectionGater: { denyDialMultiaddr: () => false },
  connectionMonitor: { enabled: false },
  services: {
    identify: identify(),
    ping: ping(),
    dht: kadDHT({
      protocol: '/ipfs/lan/kad/1.0.0',
      clientMode: false,
      peerInfoMapper: passthroughMapper,
      allowQueryWithZeroPeers: true,
      validators: { n: async () => {} },
      selectors: { n: () => 0 }
    })
  }
})

const bytes = text => Uint8Array.from(Buffer.from(text, 'base64'))
const patience = () => ({ signal: AbortSignal.timeout(20_000) })
const commands = {
  connect: async address => (await node.dial(multiaddr(address))).remotePeer.toString(),
  size: async () => node.services.dht.routingTable.size,
  provide: async cid => { await node.contentRouting.provide(CID.parse(cid), patience()) },
  find: async cid => {
    for await (const provider of node.contentRouting.findProviders(CID.parse(cid), patience())) {
      return { peer: provider.id.toString(), addresses: provider.multiaddrs.map(String) }
    }
  },
  closest: async cid => {
    const found = []
    for await (const peer of node.peerRouting.getClosestPeers(CID.parse(cid).multihash.bytes, patience())) found.push(peer.id.toString())
    return found
  },
  put: async ([key, value]) => { await node.contentRouting.put(bytes(key), bytes(value), patience()) },
  get: async key => Buffer.from(await node.contentRouting.get(bytes(key), patience())).toString('base64')
}

const say = line => console.log(JSON.stringify(line))
say({ address: node.getMultiaddrs()[0].toString(), peer: node.peerId.toString() })
for await (const line of readline.createInterface({ input: process.stdin })) {
  const [[name, argument]] = Object.entries(JSON.parse(line))
  try {
    say({ result: (await commands[name](argument)) ?? null })
  } catch (error) {
    say({ error: `${error.name}: ${error.message}` })
  }
}
await node.stop()
process.exit(0)
