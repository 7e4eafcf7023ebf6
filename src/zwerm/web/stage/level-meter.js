/** How loud the own microphone is, while one looks at it: a bar that moves. */
import { html, useEffect, useRef, useState } from "../vendor/preact.js";

/** @param {{track: MediaStreamTrack | null, label: string}} props */
export function LevelMeter({ track, label }) {
  const bar = useRef(/** @type {HTMLElement | null} */ (null));
  const [mayListen, setMayListen] = useState(navigator.userActivation?.hasBeenActive ?? true);
  useEffect(() => {
    if (mayListen) return undefined;
    const begin = () => setMayListen(true); // browsers let sound begin with a gesture
    addEventListener("pointerdown", begin);
    addEventListener("keydown", begin);
    return () => {
      removeEventListener("pointerdown", begin);
      removeEventListener("keydown", begin);
    };
  }, [mayListen]);
  useEffect(() => {
    if (!track || !mayListen) return undefined;
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    analyser.fftSize = 512;
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    let shown = 0;
    const timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      const power = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
      const level = power > 0 ? Math.min(1, Math.max(0, 1 + Math.log10(power) / 2.5)) : 0;
      shown = Math.max(level, shown * 0.8);
      bar.current?.style.setProperty("--level", shown.toFixed(2));
      bar.current?.setAttribute("data-heard", String(level > 0.2));
    }, 80);
    return () => {
      clearInterval(timer);
      void context.close();
    };
  }, [track, mayListen]);
  return html`<div class="level-meter" ref=${bar} role="img" aria-label=${label}><span /></div>`;
}
