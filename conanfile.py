import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.files import copy, load

required_conan_version = ">=2.0"


class PersonaConan(ConanFile):
    name = "persona"
    description = "Personalization primitives for text-to-image diffusion models, header-only C++20 on LibTorch"
    license = "MIT"
    topics = ("diffusion", "textual-inversion", "dreambooth", "lora", "libtorch", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"images": [True, False], "stable_diffusion": [True, False]}
    default_options = {"images": True, "stable_diffusion": True}
    exports_sources = "include/*", "cmake/*.cmake", "LICENSE"
    no_copy_source = True

    def set_version(self):
        text = load(self, os.path.join(self.recipe_folder, "include", "persona", "version.hpp"))
        self.version = ".".join(
            re.search(rf"define PERSONA_VERSION_{part} (\d+)", text).group(1) for part in ("MAJOR", "MINOR", "PATCH"))

    def requirements(self):
        self.requires("libtorch/[>=2.11 <3]", transitive_headers=True, transitive_libs=True)
        self.requires("range-v3/[>=0.12 <1]", transitive_headers=True)
        if self.options.images:
            self.requires("libpng/[>=1.6 <2]", transitive_headers=True, transitive_libs=True)
            self.requires("libjpeg/[>=9d]", transitive_headers=True, transitive_libs=True)
        if self.options.stable_diffusion:
            self.requires("nlohmann_json/[>=3.10 <4]", transitive_headers=True)
            self.requires("utf8proc/[>=2.7 <3]", transitive_headers=True, transitive_libs=True)

    def package_id(self):
        self.info.clear()

    def validate(self):
        check_min_cppstd(self, 20)

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        copy(self, "*.hpp", os.path.join(self.source_folder, "include"), os.path.join(self.package_folder, "include"))
        cmake = os.path.join(self.package_folder, "lib", "cmake")
        copy(self, "persona-torch.cmake", os.path.join(self.source_folder, "cmake"), cmake)
        copy(self, "persona-utf8proc.cmake", os.path.join(self.source_folder, "cmake"), cmake)
        copy(self, "persona-conan.cmake", os.path.join(self.source_folder, "cmake"), cmake)

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "persona")
        self.cpp_info.set_property("cmake_build_modules", [os.path.join("lib", "cmake", "persona-conan.cmake")])

        # What Conan takes from the system (platform_requires) is no dependency to it: persona-conan.cmake links that.
        known = {dependency.ref.name for dependency in self.dependencies.values() if dependency.ref.revision != "platform"}

        def component(name, target, requires):
            made = self.cpp_info.components[name]
            made.set_property("cmake_target_name", f"persona::{target}")
            made.requires = [one for one in requires if "::" not in one or one.split("::")[0] in known]
            made.bindirs = made.libdirs = []

        component("core", "persona", ["libtorch::libtorch", "range-v3::range-v3"])
        component("libtorch_modules", "libtorch", ["core"])
        if self.options.images:
            component("images", "images", ["core", "libpng::libpng", "libjpeg::libjpeg"])
        if self.options.stable_diffusion:
            component("stable_diffusion", "stable_diffusion", ["core", "nlohmann_json::nlohmann_json", "utf8proc::utf8proc"])
