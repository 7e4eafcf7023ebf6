"""Sound and picture that a test can know again: a tone of one's own, and a picture that says who sends it and counts.

`stand_in` is a script for a page that puts them in place of camera and microphone; `HEARD` and `SEEN` find them in what
another page decoded.
"""

from __future__ import annotations

import json

ADDRESSES = (
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--autoplay-policy=no-user-gesture-required",
)
FIREFOX_MEDIA = {
    "media.peerconnection.ice.loopback": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    "media.navigator.streams.fake": True,  # its own tone: without a sound card, it runs no audio context
    "media.navigator.permission.disabled": True,
    "media.navigator.audio.fake_frequency": 880,
}

# Eight stripes above say who sends (a number in binary), eight below count pictures.
_STAND_IN = """(() => {
  const given = GIVEN;
  const [width, height] = given.size;
  let context = null;
  const tone = (hertz) => {
    context ??= new AudioContext();
    const oscillator = context.createOscillator();
    const quiet = context.createGain();
    quiet.gain.value = 0.4;
    oscillator.frequency.value = hertz;
    const out = context.createMediaStreamDestination();
    oscillator.connect(quiet).connect(out);
    oscillator.start();
    void context.resume();
    return out.stream.getAudioTracks()[0];
  };
  const counting = (who, [width, height]) => {
    const canvas = Object.assign(document.createElement('canvas'), {width, height});
    const drawing = canvas.getContext('2d', {willReadFrequently: true});
    let count = 0;
    const draw = () => {
      count = (count + 1) % 256;
      for (const [row, value] of [[0, who], [1, count]])
        for (let bit = 0; bit < 8; bit += 1) {
          drawing.fillStyle = value & (128 >> bit) ? '#fff' : '#000';
          drawing.fillRect(bit * width / 8, row * height / 2, width / 8 + 1, height / 2 + 1);
        }
    };
    draw();
    const stream = canvas.captureStream(given.frames);
    const timer = setInterval(draw, 1000 / given.frames);
    const [track] = stream.getVideoTracks();
    track.addEventListener('ended', () => clearInterval(timer));
    return track;
  };
  const devices = navigator.mediaDevices;
  if (!devices) return; // an empty page
  const own = devices.getUserMedia.bind(devices);
  const hum = async (hertz) => (given.hums ? (await own({audio: true})).getAudioTracks()[0] : tone(hertz));
  devices.getUserMedia = async ({audio, video}) => {
    const wrong = (audio && given.trouble.audio) || (video && given.trouble.video);
    if (wrong) throw new DOMException(wrong, wrong);
    const tracks = [];
    if (audio) tracks.push(await hum(given.hertz));
    if (video) tracks.push(counting(given.who, given.size));
    window.tracks = [...(window.tracks ?? []), ...tracks];
    return new MediaStream(tracks);
  };
  devices.getDisplayMedia = async () =>
    new MediaStream([counting(given.who + 100, [2 * width, 2 * height]), await hum(given.hertz + 1000)]);
  window.given = given;
})()"""

# Wait until the loudest frequency of somebody's sound is as given (hertz, within two hundredths and one band).
HEARD = """async ([label, hertz, place]) => {
  const {current} = await import('/rooms/current.js');
  const find = () => current.value?.meeting.value?.people.value.find((person) => person.label.value === label);
  const context = window.listening ??= new AudioContext();
  await context.resume();
  for (const begun = performance.now(); ; ) {
    const person = find();
    if (performance.now() - begun > 25000)
      throw new Error(`${label} is not heard: ${context.state}, ${JSON.stringify(person?.shown.value)}, ` +
        `${person?.peer.state.value}, ${JSON.stringify(person?.quality.value)}`);
    if (!person?.hasMedia.value) { await new Promise((next) => setTimeout(next, 50)); continue; }
    const source = context.createMediaStreamSource(person[place ?? 'sound']);
    const analyser = context.createAnalyser();
    analyser.fftSize = 8192;
    source.connect(analyser);
    const bands = new Float32Array(analyser.frequencyBinCount);
    for (let turn = 0; turn < 40; turn += 1) {
      await new Promise((next) => setTimeout(next, 50));
      analyser.getFloatFrequencyData(bands);
      const loudest = bands.indexOf(Math.max(...bands));
      const found = loudest * context.sampleRate / analyser.fftSize;
      if (bands[loudest] > -60 && Math.abs(found - hertz) < hertz / 50 + context.sampleRate / analyser.fftSize) {
        source.disconnect();
        return found;
      }
    }
    source.disconnect();
  }
}"""

# The same in Firefox, which runs no audio context without a sound card: a recording is decoded, and its waves counted.
HEARD_IN_FIREFOX = """async ([label, hertz]) => {
  const {current} = await import('/rooms/current.js');
  for (const begun = performance.now(); ; ) {
    const person = current.value?.meeting.value?.people.value.find((each) => each.label.value === label);
    if (performance.now() - begun > 25000) throw new Error(`${label} is not heard: ${person?.peer.state.value}`);
    if (!person?.hasMedia.value) { await new Promise((next) => setTimeout(next, 50)); continue; }
    const recorder = new MediaRecorder(person.sound);
    const pieces = [];
    recorder.ondataavailable = ({data}) => pieces.push(data);
    const whole = new Promise((stopped) => (recorder.onstop = stopped));
    recorder.start();
    await new Promise((next) => setTimeout(next, 1500));
    recorder.stop();
    await whole;
    const decoder = new OfflineAudioContext(1, 48000, 48000);
    const sound = await decoder.decodeAudioData(await new Blob(pieces).arrayBuffer()).catch(() => null);
    const end = sound?.getChannelData(0).slice(-24000) ?? [];
    const waves = end.reduce((count, each, at) => count + (at > 0 && end[at - 1] <= 0 && each > 0 ? 1 : 0), 0);
    if (end.length === 24000 && Math.abs(2 * waves - hertz) < hertz / 50 + 4) return 2 * waves;
  }
}"""

# Wait until the picture of a tile says that `who` sends it, and its counter has had three values.
SEEN = """async ([tile, who]) => {
  const counts = new Set();
  const canvas = document.createElement('canvas');
  for (const begun = performance.now(); ; ) {
    if (performance.now() - begun > 25000)
      throw new Error(`${tile} is not seen: ${document.querySelector('main').innerText} ` +
        document.querySelector(`figure[aria-label="${tile}"]`)?.outerHTML);
    await new Promise((next) => setTimeout(next, 60));
    const video = [...document.querySelectorAll(`figure[aria-label="${tile}"] video`)][0];
    if (!video?.videoWidth) continue;
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    const drawing = canvas.getContext('2d', {willReadFrequently: true});
    drawing.drawImage(video, 0, 0);
    const read = (row) => [0, 1, 2, 3, 4, 5, 6, 7].reduce((value, bit) => {
      const [x, y] = [(bit + 0.5) * canvas.width / 8, (row + 0.5) * canvas.height / 2];
      return value * 2 + (drawing.getImageData(x, y, 1, 1).data[0] > 127 ? 1 : 0);
    }, 0);
    if (read(0) !== who) continue;
    counts.add(read(1));
    if (counts.size >= 3) return [canvas.width, canvas.height];
  }
}"""


def stand_in(
    who: int,
    hertz: int,
    *,
    size: tuple[int, int] = (160, 96),
    frames: int = 8,
    audio_trouble: str = "",
    video_trouble: str = "",
    hums: bool = False,
) -> str:
    """Return a script that gives a page a microphone that hums and a camera that counts.

    Args:
        who: what the picture says about its sender, 0 to 100; its screen says 100 more.
        hertz: the tone; the screen's is 1,000 higher.
        size: of the camera's picture; the screen's is twice as large.
        frames: pictures a second.
        audio_trouble: name of the exception that the microphone fails with.
        video_trouble: the same of the camera.
        hums: the browser has a tone of its own, which is taken.
    """
    trouble = {"audio": audio_trouble, "video": video_trouble}
    given = {"who": who, "hertz": hertz, "size": size, "frames": frames, "trouble": trouble, "hums": hums}
    return _STAND_IN.replace("GIVEN", json.dumps(given))
