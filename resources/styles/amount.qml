<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="Symbology">
 <pipe>
  <rasterrenderer type="singlebandpseudocolor" band="1" alphaBand="-1" classificationMin="0" classificationMax="1" opacity="1" nodataColor="">
   <minMaxOrigin>
    <limits>None</limits>
    <extent>WholeRaster</extent>
    <statAccuracy>Estimated</statAccuracy>
   </minMaxOrigin>
   <rastershader>
    <colorrampshader colorRampType="INTERPOLATED" classificationMode="1" clip="0" labelPrecision="4" minimumValue="0" maximumValue="1">
     <colorramp type="gradient" name="[source]">
      <Option type="Map">
       <Option type="QString" name="color1" value="247,251,255,255"/>
       <Option type="QString" name="color2" value="8,48,107,255"/>
       <Option type="QString" name="discrete" value="0"/>
       <Option type="QString" name="rampType" value="gradient"/>
       <Option type="QString" name="stops" value="0.25;198,219,239,255:0.5;107,174,214,255:0.75;33,113,181,255"/>
      </Option>
     </colorramp>
     <item value="0" color="#f7fbff" alpha="255" label="0"/>
     <item value="0.25" color="#c6dbef" alpha="255" label="0.25"/>
     <item value="0.5" color="#6baed6" alpha="255" label="0.5"/>
     <item value="0.75" color="#2171b5" alpha="255" label="0.75"/>
     <item value="1" color="#08306b" alpha="255" label="1"/>
     <rampLegendSettings useContinuousLegend="1" orientation="2" direction="0" minimumLabel="" maximumLabel="" prefix="" suffix=""/>
    </colorrampshader>
   </rastershader>
  </rasterrenderer>
 </pipe>
</qgis>
