// js-libp2p with relays and dcutr on TCP; one line of JSON in, one out (tests/peers/lines.py). Its arguments are the
// addresses that it listens on. Says {peer} when it is ready, answers /echo/1.0.0 over relays too, and takes
// {listen: relay} (a reservation with it), {connect: multiaddr}, {paths: peer} with the addresses of the connections
// there are, and {echo: [peer, size]} with the bytes that came back.
//
// The addresses of the NAT laboratory are of networks without hosts, which js-libp2p takes for private ones and would
// not dial: it is told that they are public.
import { registerHooks } from 'node:module'
import readline from 'node:readline'

registerHooks({
  load: (url, context, next) => url.endsWith('/@libp2p/utils/dist/src/private-ip.js')
    ? { format: 'module', shortCircuit: true, source: 'export const isPrivateIp = ip => !/^192[.](31[.]196|52[.]193)[.]/.test(ip)' }
    : next(url, context)
})
const { noise } = await import('@chainsafe/libp2p-noise')
const { yamux } = await import('@chainsafe/libp2p-yamux')
const { circuitRelayTransport } = await import('@libp2p/circuit-relay-v2')
const { dcutr } = await import('@libp2p/dcutr')
const { identify } = await import('@libp2p/identify')
const { peerIdFromString } = await import('@libp2p/peer-id')
const { tcp } = await import('@libp2p/tcp')
const { multiaddr } = await import('@multiformats/multiaddr')
const { createLibp2p } = await import('libp2p')

const ECHO = '/echo/1.0.0'
const node = await createLibp2p({
  addresses: { listen: process.argv.slice(2) },
  transports: [tcp(), circuitRelayTransport()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  connectionGater: { denyDialMultiaddr: () => false },
  connectionMonitor: { enabled: false },
  services: { identify: identify({ runOnLimitedConnection: true }), dcutr: dcutr() }
})
await node.handle(ECHO, async stream => {
  for await (const part of stream) if (!stream.send(part.subarray())) await stream.onDrain()
  await stream.close()
}, { runOnLimitedConnection: true })

const commands = {
  listen: async relay => {
    await node.components.transportManager.listen([multiaddr(`${relay}/p2p-circuit`)])
    return node.getMultiaddrs().map(String)
  },
  connect: async address => (await node.dial(multiaddr(address))).remoteAddr.toString(),
  paths: async peer => node.getConnections(peerIdFromString(peer)).map(each => each.remoteAddr.toString()),
  echo: async ([peer, size]) => {
    const stream = await node.dialProtocol(peerIdFromString(peer), ECHO, { runOnLimitedConnection: true })
    if (!stream.send(new Uint8Array(size))) await stream.onDrain()
    await stream.close()
    let came = 0
    for await (const part of stream) came += part.byteLength
    return came
  }
}

const say = line => console.log(JSON.stringify(line))
say({ peer: node.peerId.toString() })
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
