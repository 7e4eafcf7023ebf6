/** A moving picture in a tile. Sound is not here: it goes on when the stage is not shown. */
import { html, useLayoutEffect, useMemo, useRef } from "../vendor/preact.js";

/** @param {{stream: MediaStream, isOwn?: boolean, isWhole?: boolean, name?: string}} props `isWhole`: nothing is cut off */
export function Picture({ stream, isOwn = false, isWhole = false, name = "" }) {
  const element = useRef(/** @type {HTMLVideoElement | null} */ (null));
  useLayoutEffect(() => {
    const video = element.current;
    if (!video) return undefined;
    video.muted = true; // the attribute alone is not enough for a browser that wants a gesture first
    video.srcObject = stream;
    void video.play().catch(() => undefined); // the next picture shows it
    return () => {
      video.srcObject = null;
    };
  }, [stream]);
  return html`<video
    ref=${element}
    class=${isWhole ? "whole" : isOwn ? "own" : ""}
    data-name=${name}
    autoplay
    playsinline
    muted
    disablepictureinpicture=${isOwn}
  />`;
}

/** @param {MediaStreamTrack | null} track @returns {MediaStream} */
export const useStream = (track) => useMemo(() => new MediaStream(track ? [track] : []), [track]);
