-- Links between the pages as files become links between the pages of the site; `base` (metadata) goes before relative ones.
local base = ""

local function is_local(target)
  return not target:match("^%a[%w+.-]*:") and not target:match("^#")
end

local function rewrite(target)
  if not is_local(target) then return target end
  return base .. target:gsub("%.md$", ".html"):gsub("%.md#", ".html#")
end

return {
  { Meta = function(meta) if meta.base then base = pandoc.utils.stringify(meta.base) end end },
  {
    Link = function(link) link.target = rewrite(link.target) return link end,
    Image = function(image) image.src = rewrite(image.src) return image end,
  },
}
