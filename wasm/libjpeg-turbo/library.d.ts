/** The part of the library's interface that is used here; the package brings no types. */
declare module '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs' {
  export interface JPEGDecoder {
    getEncodedBuffer(bytes: number): Uint8Array;
    getDecodedBuffer(): Uint8Array<ArrayBuffer>;
    decode(): void;
    delete(): void;
  }

  export interface LibjpegTurboModule {
    JPEGDecoder: new () => JPEGDecoder;
    HEAPU8: Uint8Array;
  }

  export default function factory(options: {
    locateFile?: (name: string) => string;
    print: (text: string) => void;
    printErr: (text: string) => void;
  }): Promise<LibjpegTurboModule>;
}

declare module '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasm?url' {
  const url: string;
  export default url;
}
