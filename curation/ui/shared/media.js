// The address of a picture: size is thumb (96), card (256), large (1024 pixels) or full.
/** @param {string} sha */
export const media = (sha, size = "card") => new URL(`media/${sha}/${size}`, document.baseURI).href;
