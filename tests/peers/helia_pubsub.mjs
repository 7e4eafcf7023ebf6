// libp2p in JavaScript with gossipsub, on the loopback; one line of JSON in, one out (tests/peers/lines.py).
// Says {address, peer}, then answers {connect: address}, {subscribe: topic}, {peers: topic}, {publish: [topic, data]} and
// {next: topic}, data as base64; `next` waits for a message and gives {from, data}.
import readline from 'node:readline'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { gossipsub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'

const node = await createLibp2p({
  addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
  transports: [tcp()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  connectionGater: { denyDialMultiaddr: () => false },
  connectionMonitor: { enabled: false },
  services: { identify: identify(), pubsub: gossipsub({ allowPublishToZeroTopicPeers: true }) }
})
const pubsub = node.services.pubsub
const arrived = {}
const waiting = {}
pubsub.addEventListener('message', ({ detail }) => {
  const message = { from: detail.from?.toString(), data: Buffer.from(detail.data).toString('base64') }
  if (waiting[detail.topic]?.length) waiting[detail.topic].shift()(message)
  else (arrived[detail.topic] ??= []).push(message)
})
const commands = {
  connect: async address => (await node.dial(multiaddr(address))).remotePeer.toString(),
  subscribe: async topic => { pubsub.subscribe(topic) },
  peers: async topic => pubsub.getSubscribers(topic).map(String),
  publish: async ([topic, data]) => { await pubsub.publish(topic, Uint8Array.from(Buffer.from(data, 'base64'))) },
  next: async topic => arrived[topic]?.shift() ?? await new Promise(resolve => (waiting[topic] ??= []).push(resolve))
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
