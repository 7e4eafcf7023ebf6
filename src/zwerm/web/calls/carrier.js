/**
 * What carries messages to the service and back (docs/calls.md, "Ways in"): a web socket, or server-sent events beside
 * POST where something on the way blocks sockets.
 */

const ROOT = "/api/calls/v1/";
const PATIENCE = 6000; // milliseconds that a way in may take to open

/**
 * @typedef {{send: (text: string) => void, close: () => void}} Carrier
 * @typedef {{text: (text: string) => void, closed: () => void}} Receiver `closed` is called once, after the last text
 */

/** The ways in; the one that opened last comes first. */
let ways = [openSocket, openStream];

/**
 * Opens a way in.
 * @param {Receiver} receiver
 * @returns {Promise<Carrier>} fails when none opens
 */
export async function openCarrier(receiver) {
  const [first, second] = ways;
  try {
    return await first(receiver);
  } catch {
    const carrier = await second(receiver);
    ways = [second, first];
    return carrier;
  }
}

/** @param {Receiver} receiver @returns {Promise<Carrier>} */
function openSocket(receiver) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${ROOT}socket`);
    const late = setTimeout(() => socket.close(), PATIENCE);
    let opened = false;
    socket.onopen = () => {
      clearTimeout(late);
      opened = true;
      resolve({
        send: (text) => socket.send(text),
        close: () => {
          socket.onclose = null;
          socket.onmessage = null;
          socket.close();
        },
      });
    };
    socket.onmessage = (event) => receiver.text(event.data);
    socket.onclose = () => {
      clearTimeout(late);
      if (opened) receiver.closed();
      else reject(new Error("the socket did not open"));
    };
  });
}

/** @param {Receiver} receiver @returns {Promise<Carrier>} */
function openStream(receiver) {
  return new Promise((resolve, reject) => {
    const source = new EventSource(`${ROOT}events`);
    const late = setTimeout(() => failed(), PATIENCE);
    let opened = false;
    /** @type {string[]} */
    let waiting = [];
    let posting = false;
    const failed = () => {
      clearTimeout(late);
      source.close();
      waiting = [];
      if (opened) receiver.closed();
      else reject(new Error("the stream did not open"));
    };
    source.onerror = failed; // it would connect anew by itself, as somebody else
    source.onmessage = (event) => receiver.text(event.data);
    source.addEventListener("open", (event) => {
      if (!(event instanceof MessageEvent)) return; // the browser's own, which says nothing
      const secret = JSON.parse(event.data).connection;
      clearTimeout(late);
      opened = true;
      const post = async () => {
        posting = true;
        while (waiting.length) {
          const lines = waiting.splice(0, 2); // each has 64 KiB at most, a post 128
          const answer = await fetch(`${ROOT}send`, {
            method: "POST",
            headers: { "X-Zwerm-Connection": secret },
            body: lines.join("\n"),
          }).catch(() => null);
          if (!answer?.ok && source.readyState !== EventSource.CLOSED) failed();
        }
        posting = false;
      };
      resolve({
        send: (text) => {
          waiting.push(text);
          if (!posting) void post();
        },
        close: () => {
          source.onerror = source.onmessage = null;
          source.close();
        },
      });
    });
  });
}
