// Helia with the DHT of local networks and IPNS, on the loopback; one line of JSON in, one out (tests/peers/lines.py).
// Says {address, peer}, then answers {connect: address}, {size}, {publish: path} with the name, {resolve: name} with a path.
import readline from 'node:readline'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { ipns } from '@helia/ipns'
import { withLibp2pLight } from '@helia/libp2p'
import { identify } from '@libp2p/identify'
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { MemoryBlockstore } from 'blockstore-core'
import { MemoryDatastore } from 'datastore-core'
import { createHeliaLight } from 'helia'
import { CID } from 'multiformats/cid'

// no HTTP: it would ask servers of the internet
const light = createHeliaLight({ blockstore: new MemoryBlockstore(), datastore: new MemoryDatastore() })
const helia = withLibp2pLight(light, {
  addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
  transports: [tcp()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  peerDiscovery: [],
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
      // records are held against their names by the resolver; here the newest has to win only
      validators: { ipns: async () => {} },
      selectors: { ipns: () => 0 }
    })
  }
})
if (helia.start) await helia.start()
const names = ipns(helia)
const patience = () => ({ signal: AbortSignal.timeout(30_000) })
const commands = {
  connect: async address => (await helia.libp2p.dial(multiaddr(address))).remotePeer.toString(),
  size: async () => helia.libp2p.services.dht.routingTable.size,
  publish: async path => {
    const { publicKey } = await names.publish('site', CID.parse(path.split('/')[2]), patience())
    return publicKey.toCID().toString()
  },
  resolve: async name => {
    let last
    for await (const found of names.resolve(CID.parse(name), { nocache: true, ...patience() })) last = found
    return last?.value
  }
}
const say = line => console.log(JSON.stringify(line))
say({ address: helia.libp2p.getMultiaddrs()[0].toString(), peer: helia.libp2p.peerId.toString() })
for await (const line of readline.createInterface({ input: process.stdin })) {
  const [[name, argument]] = Object.entries(JSON.parse(line))
  try {
    say({ result: (await commands[name](argument)) ?? null })
  } catch (error) {
    say({ error: `${error.name}: ${error.message}` })
  }
}
await helia.stop()
process.exit(0)
