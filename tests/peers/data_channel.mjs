// A data channel of libdatachannel (`node-datachannel`) or werift in a process of its own, for tests and benchmarks:
// the verbs of data_channel.py, one JSON list a line, each answered by one line. What comes is sent back.
import {createInterface} from 'node:readline';
import {performance} from 'node:perf_hooks';

const LOW = 1048576; // bytes that wait, below which a flood goes on
const engine = process.argv[2];
let connection, channel, inbox, opened, closed, receive, gathered, trickled;

const later = () => { let resolve; const promise = new Promise((done) => { resolve = done; }); return {promise, resolve}; };
const isText = (data) => typeof data === 'string';
const echo = (data) => {
  inbox.push([isText(data) ? 'text' : 'bytes', isText(data) ? data.length : data.byteLength]);
  channel.send(data);
};
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

function begin() {
  inbox = []; trickled = []; channel = undefined; receive = echo;
  opened = later(); closed = later(); gathered = later();
}

const libdatachannel = {
  async start() {
    const {default: library} = await import('node-datachannel');
    library.setSctpSettings({recvBufferSize: 16 * LOW, sendBufferSize: 16 * LOW});
    this.library = library;
  },
  connect() {
    // 1,200 bytes of UDP, as browsers have them; bound to loopback.
    connection = new this.library.PeerConnection('peer', {iceServers: [], mtu: 1248, bindAddress: '127.0.0.1', maxMessageSize: 1048576});
    connection.onGatheringStateChange((state) => { if (state === 'complete') gathered.resolve(); });
    connection.onLocalCandidate((candidate, sdpMid) => trickled.push({candidate, sdpMid}));
    connection.onDataChannel((one) => this.keep(one));
  },
  keep(one) {
    channel = {
      send: (data) => isText(data) ? one.sendMessage(data) : one.sendMessageBinary(Buffer.from(data)),
      close: () => one.close(),
      buffered: () => one.bufferedAmount(),
      onLow: (threshold, call) => { one.setBufferedAmountLowThreshold(threshold); one.onBufferedAmountLow(call); },
      told: () => ({label: one.getLabel(), id: one.getId(), protocol: one.getProtocol()}),
    };
    one.onMessage((data) => receive(data));
    one.onClosed(() => closed.resolve());
    one.onOpen(() => opened.resolve());
    if (one.isOpen()) opened.resolve();
  },
  channel(label, {ordered = true, ...options}) {
    this.keep(connection.createDataChannel(label, {unordered: !ordered, ...options}));
  },
  gathered: () => gathered.promise,
  local: () => connection.localDescription().sdp,
  offer() { connection.setLocalDescription('offer'); },
  answer(sdp) { connection.setRemoteDescription(sdp, 'offer'); },
  candidate({candidate, sdpMid}) { connection.addRemoteCandidate(candidate, sdpMid); },
  accept(sdp) { connection.setRemoteDescription(sdp, 'answer'); },
  close() { connection.close(); },
  exit() { this.library.cleanup(); },
};

const werift = {
  async start() { this.library = await import('werift'); },
  connect() {
    connection = new this.library.RTCPeerConnection({
      iceServers: [], iceAdditionalHostAddresses: ['127.0.0.1'], iceUseIpv6: false,
    });
    connection.onIceCandidate.subscribe((one) => {
      if (one?.candidate) trickled.push({candidate: one.candidate, sdpMid: one.sdpMid});
    });
    connection.onDataChannel.subscribe((one) => this.keep(one));
  },
  keep(one) {
    channel = {
      send: (data) => one.send(isText(data) ? data : Buffer.from(data)),
      close: () => one.close(),
      told: () => ({label: one.label, id: one.id, protocol: one.protocol, ordered: one.ordered, maxRetransmits: one.maxRetransmits ?? null}),
    };
    one.onMessage.subscribe((data) => receive(data));
    one.stateChanged.subscribe((state) => {
      if (state === 'open') opened.resolve();
      if (state === 'closed') closed.resolve();
    });
    if (one.readyState === 'open') opened.resolve();
  },
  channel(label, options) { this.keep(connection.createDataChannel(label, options)); },
  async offer() { await connection.setLocalDescription(await connection.createOffer()); },
  async answer(sdp) {
    await connection.setRemoteDescription({type: 'offer', sdp});
    await connection.setLocalDescription(await connection.createAnswer());
  },
  candidate: (told) => connection.addIceCandidate(told),
  async gathered() {
    if (connection.iceGatheringState !== 'complete') {
      await connection.iceGatheringStateChange.watch((state) => state === 'complete');
    }
  },
  local: () => connection.localDescription.sdp,
  accept(sdp) { return connection.setRemoteDescription({type: 'answer', sdp}); },
  close() { return connection.close(); },
  exit() {},
};

const side = engine === 'werift' ? werift : libdatachannel;

const verbs = {
  new() { begin(); side.connect(); return 'ok'; },
  async channel(label, options) { await side.channel(label, options); return 'ok'; },
  async offer(trickle) { await side.offer(); if (!trickle) await side.gathered(); return side.local(); },
  async answer(sdp, trickle) { await side.answer(sdp); if (!trickle) await side.gathered(); return side.local(); },
  async candidates() { await side.gathered(); return trickled; },
  async candidate(told) { await side.candidate(told); return 'ok'; },
  async accept(sdp) { await side.accept(sdp); return 'ok'; },
  async opened() { await opened.promise; return channel.told(); },
  messages: () => inbox,
  async closed() { await closed.promise; return 'ok'; },
  close_channel() { channel.close(); return 'ok'; },
  async close() { await side.close(); return 'ok'; },
  swallow(count) {
    let left = count;
    receive = () => { if (--left === 0) { receive = echo; channel.send('done'); } };
    return 'ok';
  },
  async flood(size, count) {
    const done = later(), message = Buffer.alloc(size);
    receive = () => done.resolve();
    let low = later();
    channel.onLow(LOW / 2, () => low.resolve());
    const began = performance.now();
    for (let number = 0; number < count; number++) {
      if (number % 16 === 0 || size > 1000) {
        while (channel.buffered() > LOW) { low = later(); if (channel.buffered() > LOW / 2) await low.promise; }
      }
      channel.send(message);
    }
    await done.promise;
    receive = echo;
    return (performance.now() - began) / 1000;
  },
  async ping(count) {
    const times = [];
    for (let number = 0; number < count; number++) {
      const arrived = later();
      receive = () => arrived.resolve();
      const began = performance.now();
      channel.send(Buffer.from('ping'));
      await arrived.promise;
      times.push((performance.now() - began) / 1000);
    }
    receive = echo;
    return median(times);
  },
  usage() {
    const {user, system} = process.cpuUsage();
    return {cpu: (user + system) / 1e6, memory: process.memoryUsage().rss};
  },
};

await side.start();
verbs.new();
for await (const line of createInterface({input: process.stdin})) {
  const [verb, ...values] = JSON.parse(line);
  try {
    process.stdout.write(JSON.stringify(await verbs[verb](...values)) + '\n');
  } catch (error) {
    process.stdout.write(JSON.stringify({error: String(error?.stack ?? error)}) + '\n');
  }
}
await side.close();
side.exit();
process.exit(0);
