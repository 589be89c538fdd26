"""From a folder to the archive that is built from: which files, in which form; without it CI would have to build images itself."""
