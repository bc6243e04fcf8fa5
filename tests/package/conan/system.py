import os

from conan import ConanFile

# What persona requires, as packages in the shape of ConanCenter's recipes: names of CMake's packages and targets, components.
# Nothing is packaged; each points at what this system has.
FILE_NAMES = {"libtorch": "Torch", "libpng": "PNG", "libjpeg": "JPEG"}
TARGETS = {"libpng": "PNG::PNG", "libjpeg": "JPEG::JPEG"}
LIBRARIES = {"libpng": ["png"], "libjpeg": ["jpeg"], "utf8proc": ["utf8proc"]}


class SystemConan(ConanFile):
    settings = "os", "arch", "compiler", "build_type"

    def package_info(self):
        info = self.cpp_info
        if self.name in FILE_NAMES:
            info.set_property("cmake_file_name", FILE_NAMES[self.name])
        if self.name in ("libpng", "libjpeg"):
            info.set_property("cmake_find_mode", "both")
        if self.name == "libtorch":
            self._libtorch(self.conf.get("user.persona:torch"))
            return
        if self.name == "range-v3":  # a component a namespace, as its own CMake package has them
            info = self.cpp_info.components["range-v3"]
            info.set_property("cmake_target_name", "range-v3::range-v3")
        elif self.name in TARGETS:
            info.set_property("cmake_target_name", TARGETS[self.name])
        info.includedirs = info.libdirs = info.bindirs = []  # the compiler looks there by itself
        info.system_libs = LIBRARIES.get(self.name, [])

    def _libtorch(self, prefix):
        for name, requires in ("c10", []), ("torch_cpu", ["c10"]), ("torch", ["torch_cpu"]):
            part = self.cpp_info.components[name]
            part.libs = [name]
            part.requires = requires
            part.includedirs = [os.path.join(prefix, "include")]
            part.libdirs = [os.path.join(prefix, "lib")]
            part.bindirs = []
        self.cpp_info.components["torch"].includedirs.append(
            os.path.join(prefix, "include", "torch", "csrc", "api", "include"))
