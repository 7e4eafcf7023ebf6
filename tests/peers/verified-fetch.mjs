// Fetches through a trustless gateway and verifies: `node verified-fetch.mjs http://127.0.0.1:8080`.
// Each line of standard input, `[resource, headers]`, is answered with one: status, headers and body in base64.
// No libp2p and no routers: the gateway is the only place blocks can come from.

import { withHTTP } from '@helia/http'
import { createVerifiedFetch } from '@helia/verified-fetch'
import * as dagCbor from '@ipld/dag-cbor'
import * as dagJson from '@ipld/dag-json'
import { createHeliaLight } from 'helia'
import * as json from 'multiformats/codecs/json'
import { createInterface } from 'node:readline'

const helia = withHTTP(createHeliaLight({ codecs: [dagCbor, dagJson, json] }), {
  delegatedRouters: [],
  recursiveGateways: [process.argv[2]],
  allowInsecure: true,
  allowLocal: true
})
// Gateways are asked when other routers have found nothing, and without any other router Helia waits for ever.
helia.addRouter({ name: 'none', async * findProviders () {} })
const fetch = await createVerifiedFetch(await helia.start())

for await (const line of createInterface({ input: process.stdin })) {
  const [resource, headers] = JSON.parse(line)
  let answer
  try {
    const response = await fetch(resource, { headers, signal: AbortSignal.timeout(20000) })
    const body = Buffer.from(await response.arrayBuffer()).toString('base64')
    answer = { status: response.status, headers: Object.fromEntries(response.headers), body }
  } catch (error) {
    answer = { status: 0, headers: {}, body: '', failed: String(error) }
  }
  console.log(JSON.stringify(answer))
}
process.exit(0)
