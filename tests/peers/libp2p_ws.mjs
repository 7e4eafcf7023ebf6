// js-libp2p on WebSocket, on loopback; one line of JSON in, one out (tests/peers/lines.py). The first argument is its
// secure channel, `noise` or `tls`. Says {address, peer} when it is ready, answers /echo/1.0.0, and takes
// {connect: multiaddr}, {ping: multiaddr} with milliseconds, and {echo: [peer, size]} with the bytes that came back.
import readline from 'node:readline'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { identify } from '@libp2p/identify'
import { ping } from '@libp2p/ping'
import { tls } from '@libp2p/tls'
import { webSockets } from '@libp2p/websockets'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'

const ECHO = '/echo/1.0.0'
const node = await createLibp2p({
  addresses: { listen: ['/ip4/127.0.0.1/tcp/0/ws'] },
  transports: [webSockets()],
  connectionEncrypters: [process.argv[2] === 'tls' ? tls() : noise()],
  streamMuxers: [yamux()],
  connectionGater: { denyDialMultiaddr: () => false },
  connectionMonitor: { enabled: false },
  services: { identify: identify(), ping: ping() }
})
await node.handle(ECHO, async stream => {
  const parts = []
  for await (const part of stream) parts.push(part.subarray())
  for (const part of parts) if (!stream.send(part)) await stream.onDrain()
  await stream.close()
})
await node.start()

const commands = {
  connect: async address => {
    const connection = await node.dial(multiaddr(address))
    return { peer: connection.remotePeer.toString(), security: connection.encryption, muxer: connection.multiplexer }
  },
  ping: async address => node.services.ping.ping(multiaddr(address)),
  echo: async ([address, size]) => {
    const stream = await node.dialProtocol(multiaddr(address), ECHO)
    if (!stream.send(new Uint8Array(size))) await stream.onDrain()
    await stream.close()
    let came = 0
    for await (const part of stream) came += part.byteLength
    return came
  }
}

const say = line => console.log(JSON.stringify(line))
say({ address: node.getMultiaddrs()[0].toString(), peer: node.peerId.toString() })
for await (const line of readline.createInterface({ input: process.stdin })) {
  const [[name, argument]] = Object.entries(JSON.parse(line))
  try {
    say({ result: await commands[name](argument) })
  } catch (error) {
    say({ error: `${error.name}: ${error.message}` })
  }
}
await node.stop()
process.exit(0)
