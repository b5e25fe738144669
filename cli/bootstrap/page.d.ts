export declare const PAGE: string;
export declare function buildPage(root: string, file: string): Promise<void>;
