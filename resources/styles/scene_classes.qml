<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="Symbology">
 <pipe>
  <rasterrenderer type="paletted" band="1" alphaBand="-1" opacity="1" nodataColor="">
   <minMaxOrigin>
    <limits>None</limits>
    <extent>WholeRaster</extent>
    <statAccuracy>Estimated</statAccuracy>
   </minMaxOrigin>
   <colorPalette>
    <paletteEntry value="1" color="#ff0004" alpha="255" label="Saturated or defective"/>
    <paletteEntry value="2" color="#404040" alpha="255" label="Dark area or shadow"/>
    <paletteEntry value="3" color="#833c0b" alpha="255" label="Cloud shadow"/>
    <paletteEntry value="4" color="#3f9a45" alpha="255" label="Vegetation"/>
    <paletteEntry value="5" color="#ffe65a" alpha="255" label="Not vegetated"/>
    <paletteEntry value="6" color="#0000ff" alpha="255" label="Water"/>
    <paletteEntry value="7" color="#808080" alpha="255" label="Unclassified"/>
    <paletteEntry value="8" color="#bfbfbf" alpha="255" label="Cloud, medium probability"/>
    <paletteEntry value="9" color="#f2f2f2" alpha="255" label="Cloud, high probability"/>
    <paletteEntry value="10" color="#64c8ff" alpha="255" label="Thin cirrus"/>
    <paletteEntry value="11" color="#ff96ff" alpha="255" label="Snow or ice"/>
   </colorPalette>
  </rasterrenderer>
 </pipe>
</qgis>
